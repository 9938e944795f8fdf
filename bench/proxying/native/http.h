/* Reads one HTTP/1.1 message after another from a byte stream: as much of HTTP as our own measured exchanges need.
 * Knows Content-Length and chunks, no trailers, no 1xx. For measuring, never for tests of HTTP. */
#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX 16384
#define RECEIVE_BYTES (256 * 1024)
#define STAMP "stamp-"
#define STAMP_DIGITS 19

enum { HEAD, LENGTH, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, LAST_LINE };

/* `is_done` once a message is whole; the next byte then begins another. */
struct message {
    int state, head_bytes, status;
    long left; /* of the body or of the chunk; -1 in a chunk's size line before its first digit */
    bool is_chunked, closes, is_done;
    char head[HEAD_MAX];
};

/* What a program does with a head that is complete and with each piece of a body. */
typedef void on_head(void *owner, const struct message *message);
typedef void on_body(void *owner, const char *data, long bytes);

struct file {
    char *data;
    long bytes;
};

static void fail(const char *sentence) {
    fprintf(stderr, "%s\n", sentence);
    exit(1);
}

static int64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static struct file read_file(const char *path) {
    FILE *opened = fopen(path, "rb");
    if (!opened) fail("a file of the workload cannot be read");
    struct file file = {0};
    fseek(opened, 0, SEEK_END);
    file.bytes = ftell(opened);
    rewind(opened);
    file.data = malloc(file.bytes + 1);
    if (!file.data || (long)fread(file.data, 1, file.bytes, opened) != file.bytes)
        fail("a file of the workload cannot be read");
    file.data[file.bytes] = 0;
    fclose(opened);
    return file;
}

static void prepare_socket(int number) {
    int one = 1;
    setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK);
}

static const char *header_value(const char *line, const char *name) {
    size_t bytes = strlen(name);
    if (strncasecmp(line, name, bytes) != 0 || line[bytes] != ':') return NULL;
    for (line += bytes + 1; *line == ' '; line++) {}
    return line;
}

/* Reads the framing out of a head that ends at `end`, where its empty line begins. */
static void read_head(struct message *message, const char *head, const char *end) {
    message->left = 0;
    message->is_chunked = message->closes = false;
    message->status = strncmp(head, "HTTP/1.", 7) == 0 ? atoi(head + 9) : 0;
    for (const char *line = head; line && line < end; line = memchr(line, '\n', end - line)) {
        if (*line == '\n') line++;
        const char *value;
        if ((value = header_value(line, "content-length"))) message->left = atol(value);
        if ((value = header_value(line, "transfer-encoding"))) message->is_chunked = true;
        if ((value = header_value(line, "connection"))) message->closes = strncasecmp(value, "close", 5) == 0;
    }
}

static long min_long(long one, long other) { return one < other ? one : other; }

/* Takes the head, or what there is of it; gives how many bytes it took. */
static long feed_head(struct message *message, const char *data, long bytes, void *owner, on_head *head) {
    const char *end, *start = data;
    long taken = bytes;
    if (message->head_bytes == 0 && (end = memmem(data, bytes, "\r\n\r\n", 4))) {
        taken = end + 4 - data;
    } else {
        long room = min_long(bytes, HEAD_MAX - message->head_bytes);
        if (room == 0) fail("a head is too long");
        memcpy(message->head + message->head_bytes, data, room);
        long before = message->head_bytes;
        message->head_bytes += room;
        end = memmem(message->head, message->head_bytes, "\r\n\r\n", 4);
        if (!end) return room;
        start = message->head;
        taken = end + 4 - message->head - before;
    }
    read_head(message, start, end);
    message->head_bytes = 0;
    message->state = message->is_chunked ? CHUNK_SIZE : LENGTH;
    if (message->is_chunked) message->left = -1;
    head(owner, message);
    if (!message->is_chunked && message->left == 0) message->is_done = true;
    return taken;
}

static void feed_size_line(struct message *message, char byte) {
    int digit = byte >= '0' && byte <= '9' ? byte - '0' : (byte | 32) >= 'a' && (byte | 32) <= 'f' ? (byte | 32) - 'a' + 10 : -1;
    if (digit >= 0) {
        message->left = (message->left < 0 ? 0 : message->left) * 16 + digit;
    } else if (byte == '\n') {
        if (message->left < 0) fail("a chunked message is not framed as chunks");
        message->state = message->left ? CHUNK_DATA : LAST_LINE;
    } else if (byte != '\r') {
        fail("a chunked message is not framed as chunks");
    }
}

/* Feeds bytes until they are used up or a message is whole; gives how many were taken. */
static long feed(struct message *message, const char *data, long bytes, void *owner, on_head *head, on_body *body) {
    long at = 0;
    message->is_done = false;
    while (at < bytes && !message->is_done) {
        if (message->state == HEAD) {
            at += feed_head(message, data + at, bytes - at, owner, head);
        } else if (message->state == CHUNK_SIZE) {
            feed_size_line(message, data[at++]);
        } else if (message->state == CHUNK_END) {
            if (data[at++] == '\n') message->state = CHUNK_SIZE, message->left = -1;
        } else if (message->state == LAST_LINE) {
            message->is_done = data[at++] == '\n';
        } else {
            long piece = min_long(bytes - at, message->left);
            body(owner, data + at, piece);
            at += piece;
            message->left -= piece;
            if (message->left == 0 && message->state == CHUNK_DATA) message->state = CHUNK_END;
            else if (message->left == 0) message->is_done = true;
        }
    }
    if (message->is_done) message->state = HEAD;
    return at;
}

#endif
