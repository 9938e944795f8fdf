/* The load: connections that send a request, wait for its whole answer, and send the next. One thread on epoll.
 *
 *     load PORT REQUEST CONTENT|- CONNECTIONS RAMP_SECONDS WARM_SECONDS SECONDS drain|leave
 *
 * REQUEST and CONTENT are files: what is sent with its head, and the body that has to come back to the last byte, but
 * for the digits of stamps (`-`: whatever comes). Connections are opened over RAMP_SECONDS, and what is complete within
 * SECONDS after WARM_SECONDS is counted. Prints `begin` and `end` around that window, then one line
 * `answers all_answers latencies firsts delays` and so many 64-bit nanoseconds: request to the end of its answer,
 * request to the first byte of its body, and the sending of an event to its receipt. drain: what is under way at the
 * end is still waited for, and in all_answers. Exits with 1 and a sentence where something else came back. */
#include "http.h"

#define SILENCE_MS 30000

struct connection {
    int number, matched;      /* how much of STAMP and its digits has been seen */
    int64_t sent_ns, stamp;
    long unsent, content;     /* bytes of the request still to send; bytes of the content so far */
    bool is_waiting, has_first;
    struct message message;
};

struct series {
    int64_t *values;
    long count, room;
};

static struct file request, content;
static bool compares, has_stamps, in_window;
static int poll_number, port;
static int64_t received_ns;
static struct series latencies, firsts, delays;

static void add(struct series *series, int64_t value) {
    if (series->count == series->room) {
        series->room = series->room ? series->room * 2 : 65536;
        series->values = realloc(series->values, series->room * sizeof value);
        if (!series->values) fail("out of memory");
    }
    series->values[series->count++] = value;
}

static void send_request(struct connection *connection) {
    long done = request.bytes - connection->unsent;
    long sent = send(connection->number, request.data + done, connection->unsent, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) fail("a connection broke off while a request was sent");
    bool had_more = done > 0;
    connection->unsent -= sent > 0 ? sent : 0;
    if (connection->unsent || had_more) {
        uint32_t events = connection->unsent ? EPOLLIN | EPOLLOUT : EPOLLIN;
        struct epoll_event event = {.events = events, .data.ptr = connection};
        epoll_ctl(poll_number, EPOLL_CTL_MOD, connection->number, &event);
    }
}

/* What came is told: it is the upstream's own bytes, or what a proxy put in their place. */
static void fail_changed(const char *data, long bytes) {
    fprintf(stderr, "something else came through: %.*s\n", (int)min_long(bytes, 200), data);
    exit(1);
}

static void begin_request(struct connection *connection) {
    connection->unsent = request.bytes;
    connection->content = connection->matched = 0;
    connection->has_first = false;
    connection->is_waiting = true;
    connection->sent_ns = now_ns();
    send_request(connection);
}

static void open_connection(struct connection *connection) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    connection->message = (struct message){0};
    connection->number = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(connection->number, (struct sockaddr *)&address, sizeof address) != 0) fail("cannot connect");
    prepare_socket(connection->number);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    epoll_ctl(poll_number, EPOLL_CTL_ADD, connection->number, &event);
}

static void head_came(void *owner, const struct message *message) {
    (void)owner;
    if (message->status == 200) return;
    fprintf(stderr, "an answer had status %d\n", message->status);
    exit(1);
}

static void read_stamps(struct connection *connection, const char *data, long bytes) {
    const int prefix = strlen(STAMP);
    for (long at = 0; at < bytes; at++) {
        char byte = data[at];
        if (connection->matched < prefix) {
            if (compares && byte != content.data[connection->content + at]) fail_changed(data + at, bytes - at);
            connection->matched = byte == STAMP[connection->matched] ? connection->matched + 1 : byte == STAMP[0];
            connection->stamp = 0;
            continue;
        }
        connection->stamp = connection->stamp * 10 + (byte - '0');
        if (++connection->matched == prefix + STAMP_DIGITS) {
            if (in_window) add(&delays, received_ns - connection->stamp);
            connection->matched = 0;
        }
    }
}

static void body_came(void *owner, const char *data, long bytes) {
    struct connection *connection = owner;
    if (!connection->has_first && in_window) add(&firsts, received_ns - connection->sent_ns);
    connection->has_first = true;
    if (compares && connection->content + bytes > content.bytes) fail("more came through than was sent");
    if (has_stamps) read_stamps(connection, data, bytes);
    else if (compares && memcmp(content.data + connection->content, data, bytes) != 0)
        fail_changed(data, bytes);
    connection->content += bytes;
}

/* Takes what has come; gives whether that completes an answer. */
static bool receive(struct connection *connection) {
    static char received[RECEIVE_BYTES];
    long bytes = recv(connection->number, received, sizeof received, 0);
    if (bytes < 0 && errno == EAGAIN) return false;
    if (bytes <= 0 && connection->is_waiting) fail("a connection was closed in the middle of the run");
    if (bytes <= 0) fail("a connection was closed between two requests");
    received_ns = now_ns();
    long taken = feed(&connection->message, received, bytes, connection, head_came, body_came);
    if (!connection->message.is_done) return false;
    if (taken != bytes) fail("more came through than one answer");
    if (compares && connection->content != content.bytes) fail("less came through than was sent");
    connection->is_waiting = false;
    return true;
}

static void write_out(long answers, long all_answers) {
    printf("%ld %ld %ld %ld %ld\n", answers, all_answers, latencies.count, firsts.count, delays.count);
    fwrite(latencies.values, sizeof(int64_t), latencies.count, stdout);
    fwrite(firsts.values, sizeof(int64_t), firsts.count, stdout);
    fwrite(delays.values, sizeof(int64_t), delays.count, stdout);
    fflush(stdout);
}

static void say(const char *word) {
    puts(word);
    fflush(stdout);
}

int main(int count, char **arguments) {
    if (count != 9) fail("load PORT REQUEST CONTENT|- CONNECTIONS RAMP_SECONDS WARM_SECONDS SECONDS drain|leave");
    port = atoi(arguments[1]);
    request = read_file(arguments[2]);
    compares = strcmp(arguments[3], "-") != 0;
    if (compares) content = read_file(arguments[3]);
    has_stamps = !compares || memmem(content.data, content.bytes, STAMP, strlen(STAMP));
    const int wanted = atoi(arguments[4]);
    const int64_t ramp = atof(arguments[5]) * 1e9, warm = atof(arguments[6]) * 1e9, window = atof(arguments[7]) * 1e9;
    const bool drains = strcmp(arguments[8], "drain") == 0;
    struct connection *all = calloc(wanted, sizeof *all);
    if (!all) fail("out of memory");
    poll_number = epoll_create1(0);
    struct epoll_event ready[512];
    long answers = 0, all_answers = 0;
    int opened = 0, waiting = 0;
    const int64_t began = now_ns(), from = began + warm, until = from + window;
    int64_t now = began, last_ns = began;
    bool has_ended = false;
    while (!has_ended || (drains && waiting)) {
        while (opened < wanted && !has_ended && now - began >= ramp / wanted * opened) {
            open_connection(&all[opened]);
            begin_request(&all[opened++]);
            waiting++;
        }
        if (!in_window && !has_ended && now >= from) {
            in_window = true;
            say("begin");
        }
        if (in_window && now >= until) {
            in_window = false;
            has_ended = true;
            say("end");
        }
        int found = epoll_wait(poll_number, ready, 512, has_ended ? 100 : now < from || opened < wanted ? 1 : 5);
        now = now_ns();
        if (found) last_ns = now;
        else if (now - last_ns > SILENCE_MS * (int64_t)1000000) fail("no answer came for 30 s");
        for (int at = 0; at < found; at++) {
            struct connection *connection = ready[at].data.ptr;
            if (ready[at].events & EPOLLOUT && connection->unsent) send_request(connection);
            if (!(ready[at].events & ~(uint32_t)EPOLLOUT) || !receive(connection)) continue;
            all_answers++;
            if (in_window) {
                answers++;
                add(&latencies, received_ns - connection->sent_ns);
            }
            if (connection->message.closes) {
                close(connection->number);
                if (!has_ended) open_connection(connection);
            }
            if (has_ended) waiting--;
            else begin_request(connection);
        }
    }
    write_out(answers, all_answers);
    return 0;
}
