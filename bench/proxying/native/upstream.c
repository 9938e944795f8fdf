/* The mock upstream: answers from precomputed bytes, one thread on epoll. Prints its port, ends with its parent.
 *
 *     upstream strict|lenient WORKLOAD...
 *
 * Each workload is a path without its ending: `.body` is the request's body, `.answer` the whole answer, and `.pieces`
 * microseconds and byte counts, where the answer is sent in pieces with that time between them. Where a piece holds
 * `stamp-` and digits, the time of sending is written there. strict: a body that differs in one byte gets 409, so a
 * proxy that changes something on the way is found. lenient, for peers that write the body anew: the workload is known
 * by its marker, the last word of its path, anywhere in the body. */
#include "http.h"
#include <sys/prctl.h>
#include <signal.h>

#define CONNECTIONS_MAX 16384
#define PIECES_MAX 256
#define BODY_MAX (2 * 1024 * 1024)

static const char CHANGED[] = "HTTP/1.1 409 Changed On The Way\r\nContent-Length: 0\r\n\r\n";

struct workload {
    struct file body, answer;
    char marker[64];
    int pieces;
    int64_t interval_ns;
    long ends[PIECES_MAX], stamps[PIECES_MAX];
};

struct connection {
    int number, piece;
    uint32_t generation;
    struct message message;
    const struct workload *workload; /* the one that the body may still be, or that is being answered */
    long seen;                       /* bytes of the body so far */
    bool differs;
    char *body;                      /* kept in lenient mode only */
    char *unsent;
    long unsent_bytes;
};

/* A piece that is due. All have their connection's interval, so one queue for each interval keeps its order. */
struct due {
    int64_t at;
    struct connection *connection;
    uint32_t generation;
};

static struct workload workloads[16];
static int workload_count, poll_number;
static bool is_lenient;
static struct connection *connections[CONNECTIONS_MAX];
static struct due queue[1 << 16];
static uint32_t queue_first, queue_next;

static void load_workload(const char *path) {
    struct workload *workload = &workloads[workload_count++];
    char name[512];
    snprintf(name, sizeof name, "%s.body", path);
    workload->body = read_file(name);
    for (int at = 0; at < workload_count - 1; at++)
        if (workloads[at].body.bytes == workload->body.bytes) fail("two workloads have bodies of one length");
    snprintf(name, sizeof name, "%s.answer", path);
    workload->answer = read_file(name);
    const char *marker = strrchr(path, '/');
    snprintf(workload->marker, sizeof workload->marker, "%s", marker ? marker + 1 : path);
    snprintf(name, sizeof name, "%s.pieces", path);
    if (access(name, R_OK) != 0) return;
    FILE *pieces = fopen(name, "r");
    long value, end = 0;
    if (!pieces || fscanf(pieces, "%ld", &value) != 1) fail("a list of pieces cannot be read");
    workload->interval_ns = value * 1000;
    while (fscanf(pieces, "%ld", &value) == 1) {
        if (workload->pieces == PIECES_MAX) fail("an answer has too many pieces");
        char *stamp = memmem(workload->answer.data + end, value, STAMP, strlen(STAMP));
        workload->stamps[workload->pieces] = stamp ? stamp + strlen(STAMP) - workload->answer.data : -1;
        workload->ends[workload->pieces++] = end += value;
    }
    fclose(pieces);
}

static void watch(struct connection *connection, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = connection};
    epoll_ctl(poll_number, EPOLL_CTL_MOD, connection->number, &event);
}

static void drop(struct connection *connection) {
    close(connection->number);
    connection->generation++;
    connection->workload = NULL;
    connection->message = (struct message){0};
    connection->seen = connection->unsent_bytes = connection->piece = 0;
    connection->differs = false;
}

static void send_bytes(struct connection *connection, const char *data, long bytes) {
    long sent = 0;
    if (connection->unsent_bytes == 0) {
        sent = send(connection->number, data, bytes, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return; /* the reading side sees that the client has left */
        if (sent < 0) sent = 0;
    }
    if (sent == bytes) return;
    char *unsent = realloc(connection->unsent, connection->unsent_bytes + bytes - sent);
    if (!unsent) fail("out of memory");
    memcpy(unsent + connection->unsent_bytes, data + sent, bytes - sent);
    connection->unsent = unsent;
    connection->unsent_bytes += bytes - sent;
    watch(connection, EPOLLIN | EPOLLOUT);
}

static void send_unsent(struct connection *connection) {
    long sent = send(connection->number, connection->unsent, connection->unsent_bytes, MSG_NOSIGNAL);
    if (sent <= 0) return;
    connection->unsent_bytes -= sent;
    memmove(connection->unsent, connection->unsent + sent, connection->unsent_bytes);
    if (connection->unsent_bytes == 0) watch(connection, EPOLLIN);
}

static void send_piece(struct connection *connection) {
    const struct workload *workload = connection->workload;
    int piece = connection->piece++;
    long start = piece ? workload->ends[piece - 1] : 0;
    int64_t now = now_ns();
    if (workload->stamps[piece] >= 0) {
        char digits[32];
        snprintf(digits, sizeof digits, "%0*lld", STAMP_DIGITS, (long long)now);
        memcpy(workload->answer.data + workload->stamps[piece], digits, STAMP_DIGITS);
    }
    send_bytes(connection, workload->answer.data + start, workload->ends[piece] - start);
    if (connection->piece < workload->pieces) {
        queue[queue_next++ & 0xffff] = (struct due){now + workload->interval_ns, connection, connection->generation};
        if (queue_next - queue_first > 0xffff) fail("too many streams at once");
    }
}

static void answer(struct connection *connection) {
    if (is_lenient) {
        connection->workload = NULL;
        for (int at = 0; at < workload_count; at++)
            if (memmem(connection->body, connection->seen, workloads[at].marker, strlen(workloads[at].marker)))
                connection->workload = &workloads[at];
    }
    const struct workload *workload = connection->workload;
    if (!workload || connection->differs || (!is_lenient && connection->seen != workload->body.bytes)) {
        send_bytes(connection, CHANGED, strlen(CHANGED));
    } else if (workload->pieces) {
        connection->piece = 0;
        send_piece(connection);
    } else {
        send_bytes(connection, workload->answer.data, workload->answer.bytes);
    }
    connection->seen = 0;
    connection->differs = false;
}

static void head_came(void *owner, const struct message *message) {
    struct connection *connection = owner;
    connection->workload = NULL;
    for (int at = 0; at < workload_count; at++)
        if (message->left == workloads[at].body.bytes) connection->workload = &workloads[at];
}

static void body_came(void *owner, const char *data, long bytes) {
    struct connection *connection = owner;
    const struct workload *workload = connection->workload;
    if (connection->seen + bytes > BODY_MAX) fail("a request's body is too large");
    if (is_lenient) {
        if (!connection->body && !(connection->body = malloc(BODY_MAX))) fail("out of memory");
        memcpy(connection->body + connection->seen, data, bytes);
    } else if (!workload || memcmp(workload->body.data + connection->seen, data, bytes) != 0) {
        connection->differs = true;
    }
    connection->seen += bytes;
}

static void receive(struct connection *connection) {
    static char received[RECEIVE_BYTES];
    long bytes = recv(connection->number, received, sizeof received, 0);
    if (bytes < 0 && errno == EAGAIN) return;
    if (bytes <= 0) {
        drop(connection);
        return;
    }
    for (long at = 0; at < bytes;) {
        at += feed(&connection->message, received + at, bytes - at, connection, head_came, body_came);
        if (connection->message.is_done) answer(connection);
    }
}

static void accept_all(int listener) {
    int number;
    while ((number = accept(listener, NULL, NULL)) >= 0) {
        if (number >= CONNECTIONS_MAX) fail("too many connections");
        prepare_socket(number);
        struct connection *connection = connections[number];
        if (!connection) connection = connections[number] = calloc(1, sizeof *connection);
        if (!connection) fail("out of memory");
        connection->number = number;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        epoll_ctl(poll_number, EPOLL_CTL_ADD, number, &event);
    }
}

/* Sends what is due; gives how many milliseconds there are until more is, -1 where nothing waits. */
static int send_due(void) {
    while (queue_first != queue_next) {
        struct due *due = &queue[queue_first & 0xffff];
        if (due->generation == due->connection->generation) {
            int64_t wait = due->at - now_ns();
            if (wait > 0) return (int)((wait + 999999) / 1000000);
            queue_first++;
            send_piece(due->connection);
        } else {
            queue_first++;
        }
    }
    return -1;
}

int main(int count, char **arguments) {
    if (count < 3) fail("upstream strict|lenient WORKLOAD...");
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    is_lenient = strcmp(arguments[1], "lenient") == 0;
    for (int at = 2; at < count && at < 18; at++) load_workload(arguments[at]);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, bytes) != 0 || listen(listener, 4096) != 0) fail("cannot listen");
    prepare_socket(listener);
    getsockname(listener, (struct sockaddr *)&address, &bytes);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    poll_number = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, ready[512];
    epoll_ctl(poll_number, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int found = epoll_wait(poll_number, ready, 512, send_due());
        for (int at = 0; at < found; at++) {
            struct connection *connection = ready[at].data.ptr;
            if (!connection) accept_all(listener);
            else if (ready[at].events & EPOLLOUT && connection->unsent_bytes) send_unsent(connection);
            if (connection && ready[at].events & ~(uint32_t)EPOLLOUT) receive(connection);
        }
    }
}
