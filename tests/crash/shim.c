/* Stands between LMDB and the system: kills the process inside a chosen call on a data.mdb, and
 * writes down what went to the disk, in order. Loaded with LD_PRELOAD; does nothing until asked. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { NONE, DATA, SYNC, META, NOTE }; /* META: written through a descriptor that syncs */
enum phase { BEFORE, DURING, AFTER };

static enum kind armed_kind = NONE;
static enum phase armed_phase;
static int armed_skip;
static useconds_t armed_delay;
static int log_fd = -1;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

/* Kill in the `skip`-th next call of this kind; `delay_us` is for the middle of a sync. */
void shim_arm(int kind, int phase, int skip, unsigned delay_us) {
    armed_phase = phase;
    armed_skip = skip;
    armed_delay = delay_us;
    armed_kind = kind;
}

void shim_log(int fd) { log_fd = fd; }

static void record(enum kind kind, uint64_t offset, const struct iovec *parts, int count,
                   uint64_t length) {
    if (log_fd < 0) return;
    struct { uint64_t kind, offset, length; } head = {kind, offset, length};
    pthread_mutex_lock(&log_lock);
    syscall(SYS_write, log_fd, &head, sizeof head);
    for (int i = 0; i < count && length; i++) {
        size_t size = parts[i].iov_len < length ? parts[i].iov_len : length;
        syscall(SYS_write, log_fd, parts[i].iov_base, size);
        length -= size;
    }
    pthread_mutex_unlock(&log_lock);
}

/* What the program has to say goes between the writes, where it belongs in time. */
void shim_note(const void *text, uint64_t length) {
    struct iovec part = {(void *)text, length};
    record(NOTE, 0, &part, 1, length);
}

static enum kind kind_of(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path);
    if (size < 9 || memcmp(path + size - 9, "/data.mdb", 9)) return NONE;
    return fcntl(fd, F_GETFL) & O_DSYNC ? META : DATA;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void *die_later(void *unused) {
    usleep(armed_delay);
    die();
    return unused;
}

static int is_wanted(enum kind kind) {
    return kind != NONE && kind == armed_kind && armed_skip-- <= 0;
}

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    ssize_t (*call)(int, const void *, size_t, off_t) = real("pwrite");
    enum kind kind = armed_kind != NONE || log_fd >= 0 ? kind_of(fd) : NONE;
    int wanted = is_wanted(kind);
    if (wanted && armed_phase == BEFORE) die();
    if (wanted && armed_phase == DURING && kind == DATA) {
        call(fd, bytes, length / 2, offset);
        die();
    }
    ssize_t done = call(fd, bytes, length, offset);
    struct iovec part = {(void *)bytes, length};
    if (kind != NONE && done > 0) record(kind, offset, &part, 1, done);
    if (wanted) die();
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) {
    return pwrite(fd, bytes, length, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    ssize_t (*call)(int, const struct iovec *, int) = real("writev");
    enum kind kind = armed_kind != NONE || log_fd >= 0 ? kind_of(fd) : NONE;
    int wanted = is_wanted(kind);
    if (wanted && armed_phase == BEFORE) die();
    if (wanted && armed_phase == DURING) {
        if (count > 1) call(fd, parts, count / 2);
        die();
    }
    off_t offset = kind != NONE ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t done = call(fd, parts, count);
    if (kind != NONE && done > 0) record(kind, offset, parts, count, done);
    if (wanted) die();
    return done;
}

static int synced(const char *name, int fd) {
    int (*call)(int) = real(name);
    enum kind kind = armed_kind != NONE || log_fd >= 0 ? kind_of(fd) : NONE;
    int wanted = kind != NONE && is_wanted(SYNC);
    if (wanted && armed_phase == BEFORE) die();
    if (wanted && armed_phase == DURING) {
        pthread_t thread;
        pthread_create(&thread, NULL, die_later, NULL);
    }
    int failed = call(fd);
    if (kind != NONE && !failed) record(SYNC, 0, NULL, 0, 0);
    if (wanted && armed_phase == AFTER) die();
    return failed;
}

int fdatasync(int fd) { return synced("fdatasync", fd); }

int fsync(int fd) { return synced("fsync", fd); }
