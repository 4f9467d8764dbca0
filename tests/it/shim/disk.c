/* What a program does to one folder, written down in order; and the same program stopped, or its disk failing, at the
 * k-th of these deeds. Loaded into the real binary with LD_PRELOAD: nothing of the program is changed for it.
 *
 *   ONRAMP_SHIM_DIR=DIR   the folder that is watched, absolute, without a slash at its end
 *   ONRAMP_SHIM_LOG=FILE  where deeds are written down (optional; see `note` for the format)
 *   ONRAMP_SHIM_AT=K      the deed, from 1, at which something happens (optional)
 *   ONRAMP_SHIM_DO=WHAT   kill-before, kill-after: SIGKILL; EIO, ENOSPC, EROFS: this deed and all after it fail
 *
 * A deed is: a file made, written, cut, synced, renamed, removed; a folder made or synced. What the program says on
 * standard output stands between them in the log, and is not counted. SQLite's -shm is left out: it is memory. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 4096, LONGEST = 1024 };

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static char *names[FILES]; /* the path of each open file that is watched */
static const char *watched;
static int log_fd = -1;
static long deeds, stop_at;
static int stop_errno, kill_before, kill_after;

/* The next library's function of the same name. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void start(void) {
  const char *log = getenv("ONRAMP_SHIM_LOG"), *at = getenv("ONRAMP_SHIM_AT"), *what = getenv("ONRAMP_SHIM_DO");
  watched = getenv("ONRAMP_SHIM_DIR");
  if (log) log_fd = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (!at || !what) return;
  stop_at = atol(at);
  kill_before = !strcmp(what, "kill-before");
  kill_after = !strcmp(what, "kill-after");
  stop_errno = !strcmp(what, "EIO") ? EIO : !strcmp(what, "ENOSPC") ? ENOSPC : !strcmp(what, "EROFS") ? EROFS : 0;
}

static int is_watched(const char *path) {
  size_t length = watched ? strlen(watched) : 0;
  if (!length || !path || strncmp(path, watched, length) || (path[length] && path[length] != '/')) return 0;
  size_t whole = strlen(path);
  return whole < 4 || strcmp(path + whole - 4, "-shm");
}

static const char *name_of(int fd) { return fd >= 0 && fd < FILES ? names[fd] : NULL; }

static void forget(int fd) {
  if (!name_of(fd)) return;
  free(names[fd]);
  names[fd] = NULL;
}

/* One entry of the log: kind, length of path, path, place, length of data, data; numbers are little-endian.
 * Kinds: C file made, W written at place, T cut to place, S file synced, D folder synced, R renamed to data, U removed,
 * M folder made, A data said on standard output. */
static void note(char kind, const char *path, uint64_t place, const void *data, uint64_t length) {
  if (log_fd < 0) return;
  uint32_t path_length = (uint32_t)strlen(path);
  char head[1 + 4 + LONGEST + 8 + 8], *end = head;
  if (path_length >= LONGEST) abort();
  *end++ = kind;
  end = mempcpy(end, &path_length, 4);
  end = mempcpy(end, path, path_length);
  end = mempcpy(end, &place, 8);
  end = mempcpy(end, &length, 8);
  if (REAL(write)(log_fd, head, (size_t)(end - head)) < 0) abort();
  if (length && REAL(write)(log_fd, data, length) < 0) abort();
}

/* Before a deed. True when it must fail; errno says how. */
static int fails(void) {
  long next = deeds + 1;
  if (kill_before && next == stop_at) kill(getpid(), SIGKILL);
  if (!stop_errno || next < stop_at) return 0;
  errno = stop_errno;
  return 1;
}

/* Only what was done counts, so that the log and the count agree: to remove a file that is not there is no deed. */
static void done(char kind, const char *path, uint64_t place, const void *data, uint64_t length) {
  int kept = errno;
  deeds++;
  note(kind, path, place, data, length);
  if (kill_after && deeds == stop_at) kill(getpid(), SIGKILL);
  errno = kept;
}

static int open_watched(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode) {
  if (!is_watched(path)) return real(path, flags, mode);
  pthread_mutex_lock(&turn);
  struct stat before;
  int there = !stat(path, &before), fd = -1;
  int makes = !there && (flags & O_CREAT), cuts = there && (flags & O_TRUNC) && before.st_size;
  if (!((makes || cuts) && fails())) fd = real(path, flags, mode);
  if (fd >= 0 && makes) done('C', path, 0, NULL, 0);
  if (fd >= 0 && cuts) done('T', path, 0, NULL, 0);
  if (fd >= 0 && fd < FILES) {
    forget(fd);
    names[fd] = strdup(path);
  }
  pthread_mutex_unlock(&turn);
  return fd;
}

#define OPEN(name)                                     \
  int name(const char *path, int flags, ...) {         \
    va_list rest;                                      \
    va_start(rest, flags);                             \
    mode_t mode = va_arg(rest, mode_t);                \
    va_end(rest);                                      \
    return open_watched(REAL(name), path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

int close(int fd) {
  pthread_mutex_lock(&turn);
  forget(fd);
  pthread_mutex_unlock(&turn);
  return REAL(close)(fd);
}

static ssize_t wrote(int fd, const void *data, ssize_t length, off64_t place) {
  if (length > 0) done('W', name_of(fd), (uint64_t)place, data, (uint64_t)length);
  return length;
}

ssize_t write(int fd, const void *data, size_t length) {
  if (fd == STDOUT_FILENO && log_fd >= 0) {
    pthread_mutex_lock(&turn);
    ssize_t said = REAL(write)(fd, data, length);
    if (said > 0) note('A', "", 0, data, (uint64_t)said);
    pthread_mutex_unlock(&turn);
    return said;
  }
  if (!name_of(fd)) return REAL(write)(fd, data, length);
  pthread_mutex_lock(&turn);
  ssize_t result = -1;
  if (!fails()) {
    off64_t place = lseek64(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
    result = wrote(fd, data, REAL(write)(fd, data, length), place);
  }
  pthread_mutex_unlock(&turn);
  return result;
}

#define PWRITE(name, offset)                                                      \
  ssize_t name(int fd, const void *data, size_t length, offset place) {           \
    if (!name_of(fd)) return REAL(name)(fd, data, length, place);                 \
    pthread_mutex_lock(&turn);                                                    \
    ssize_t result = fails() ? -1 : wrote(fd, data, REAL(name)(fd, data, length, place), place); \
    pthread_mutex_unlock(&turn);                                                  \
    return result;                                                                \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define CUT(name, offset)                                        \
  int name(int fd, offset length) {                              \
    if (!name_of(fd)) return REAL(name)(fd, length);             \
    pthread_mutex_lock(&turn);                                   \
    int result = fails() ? -1 : REAL(name)(fd, length);          \
    if (!result) done('T', name_of(fd), (uint64_t)length, NULL, 0); \
    pthread_mutex_unlock(&turn);                                 \
    return result;                                               \
  }
CUT(ftruncate, off_t)
CUT(ftruncate64, off64_t)

static char kind_of_sync(int fd) {
  struct stat about;
  return !fstat(fd, &about) && S_ISDIR(about.st_mode) ? 'D' : 'S';
}

#define SYNC(name)                                                   \
  int name(int fd) {                                                 \
    if (!name_of(fd)) return REAL(name)(fd);                         \
    pthread_mutex_lock(&turn);                                       \
    int result = fails() ? -1 : REAL(name)(fd);                      \
    if (!result) done(kind_of_sync(fd), name_of(fd), 0, NULL, 0);    \
    pthread_mutex_unlock(&turn);                                     \
    return result;                                                   \
  }
SYNC(fsync)
SYNC(fdatasync)

int rename(const char *from, const char *to) {
  if (!is_watched(from) && !is_watched(to)) return REAL(rename)(from, to);
  pthread_mutex_lock(&turn);
  int result = fails() ? -1 : REAL(rename)(from, to);
  if (!result) done('R', from, 0, to, strlen(to));
  pthread_mutex_unlock(&turn);
  return result;
}

#define ON_PATH(name, kind, parameters, arguments)          \
  int name parameters {                                     \
    if (!is_watched(path)) return REAL(name) arguments;     \
    pthread_mutex_lock(&turn);                              \
    int result = fails() ? -1 : REAL(name) arguments;       \
    if (!result) done(kind, path, 0, NULL, 0);              \
    pthread_mutex_unlock(&turn);                            \
    return result;                                          \
  }
ON_PATH(unlink, 'U', (const char *path), (path))
ON_PATH(mkdir, 'M', (const char *path, mode_t mode), (path, mode))
