/* Lets one system call fail: the one with a number, of those that are about files below a directory.

   Loaded before libc (LD_PRELOAD). A process that has called arm() counts its calls from then on; a fork of one that
   has not is where each attempt begins. Locks never fail: of a lock that is refused SQLite says, whatever the reason,
   that somebody else has it. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static char below[PATH_MAX];
static size_t below_length;
static long failing, counted;
static int code;
static const char *failed = "";
static unsigned char ours[4096];

void arm(const char *directory, long number, int error) {
  strncpy(below, directory, sizeof below - 1);
  below_length = strlen(below);
  failing = number;
  code = error;
  counted = 0;
  failed = "";
}

long calls(void) { return counted; }
const char *failed_call(void) { return failed; }

static int is_ours(int fd) { return fd >= 0 && fd < (int)sizeof ours && ours[fd]; }

static int concerns(int fd, const char *path) {
  if (path == NULL || !*path) return is_ours(fd);
  if (*path == '/') return strncmp(path, below, below_length) == 0;
  if (fd != AT_FDCWD) return is_ours(fd);
  char here[PATH_MAX];
  return getcwd(here, sizeof here) != NULL && strncmp(here, below, below_length) == 0;
}

static int refused(const char *name, int concerned) {
  if (!below_length || !concerned || ++counted != failing) return 0;
  failed = name;
  errno = code;
  return 1;
}

static void note(int fd) {
  if (fd >= 0 && fd < (int)sizeof ours) ours[fd] = 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define ON_PATH(type, fail, name, parameters, fd, path, arguments) \
  type name parameters {                                           \
    if (refused(#name, concerns(fd, path))) return fail;           \
    return NEXT(name) arguments;                                   \
  }
#define ON_DESCRIPTOR(type, name, parameters, fd, arguments) \
  type name parameters {                                     \
    if (refused(#name, is_ours(fd))) return -1;              \
    return NEXT(name) arguments;                             \
  }

#define OPENS(name, parameters, fd, path, leading)                 \
  int name parameters {                                            \
    int mode = 0;                                                  \
    if (flags & (O_CREAT | O_TMPFILE)) {                           \
      va_list more;                                                \
      va_start(more, flags);                                       \
      mode = va_arg(more, int);                                    \
      va_end(more);                                                \
    }                                                              \
    int concerned = concerns(fd, path);                            \
    if (refused(#name, concerned)) return -1;                      \
    int opened = ((int (*) parameters)dlsym(RTLD_NEXT, #name))leading; \
    if (concerned) note(opened);                                   \
    return opened;                                                 \
  }

OPENS(open, (const char *path, int flags, ...), AT_FDCWD, path, (path, flags, mode))
OPENS(open64, (const char *path, int flags, ...), AT_FDCWD, path, (path, flags, mode))
OPENS(openat, (int fd, const char *path, int flags, ...), fd, path, (fd, path, flags, mode))
OPENS(openat64, (int fd, const char *path, int flags, ...), fd, path, (fd, path, flags, mode))

int close(int fd) {
  if (fd >= 0 && fd < (int)sizeof ours) ours[fd] = 0;
  return NEXT(close)(fd);
}

ON_DESCRIPTOR(ssize_t, read, (int fd, void *to, size_t size), fd, (fd, to, size))
ON_DESCRIPTOR(ssize_t, write, (int fd, const void *from, size_t size), fd, (fd, from, size))
ON_DESCRIPTOR(ssize_t, pread, (int fd, void *to, size_t size, off_t at), fd, (fd, to, size, at))
ON_DESCRIPTOR(ssize_t, pread64, (int fd, void *to, size_t size, off64_t at), fd, (fd, to, size, at))
ON_DESCRIPTOR(ssize_t, pwrite, (int fd, const void *from, size_t size, off_t at), fd, (fd, from, size, at))
ON_DESCRIPTOR(ssize_t, pwrite64, (int fd, const void *from, size_t size, off64_t at), fd, (fd, from, size, at))
ON_DESCRIPTOR(int, fsync, (int fd), fd, (fd))
ON_DESCRIPTOR(int, fdatasync, (int fd), fd, (fd))
ON_DESCRIPTOR(int, ftruncate, (int fd, off_t size), fd, (fd, size))
ON_DESCRIPTOR(int, ftruncate64, (int fd, off64_t size), fd, (fd, size))
ON_DESCRIPTOR(int, fstat, (int fd, struct stat *to), fd, (fd, to))
ON_DESCRIPTOR(int, fstat64, (int fd, struct stat64 *to), fd, (fd, to))
ON_DESCRIPTOR(int, fchmod, (int fd, mode_t mode), fd, (fd, mode))
ON_DESCRIPTOR(int, fchown, (int fd, uid_t user, gid_t group), fd, (fd, user, group))
ON_DESCRIPTOR(int, flock, (int fd, int operation), fd, (fd, operation))

ON_PATH(int, -1, stat, (const char *path, struct stat *to), AT_FDCWD, path, (path, to))
ON_PATH(int, -1, stat64, (const char *path, struct stat64 *to), AT_FDCWD, path, (path, to))
ON_PATH(int, -1, lstat, (const char *path, struct stat *to), AT_FDCWD, path, (path, to))
ON_PATH(int, -1, lstat64, (const char *path, struct stat64 *to), AT_FDCWD, path, (path, to))
ON_PATH(int, -1, fstatat, (int fd, const char *path, struct stat *to, int flags), fd, path, (fd, path, to, flags))
ON_PATH(int, -1, fstatat64, (int fd, const char *path, struct stat64 *to, int flags), fd, path, (fd, path, to, flags))
ON_PATH(int, -1, statvfs, (const char *path, struct statvfs *to), AT_FDCWD, path, (path, to))
ON_PATH(int, -1, statvfs64, (const char *path, struct statvfs64 *to), AT_FDCWD, path, (path, to))
ON_PATH(int, -1, access, (const char *path, int mode), AT_FDCWD, path, (path, mode))
ON_PATH(int, -1, unlink, (const char *path), AT_FDCWD, path, (path))
ON_PATH(int, -1, unlinkat, (int fd, const char *path, int flags), fd, path, (fd, path, flags))
ON_PATH(int, -1, rename, (const char *from, const char *to), AT_FDCWD, from, (from, to))
ON_PATH(int, -1, renameat, (int a, const char *from, int b, const char *to), a, from, (a, from, b, to))
ON_PATH(int, -1, link, (const char *from, const char *to), AT_FDCWD, from, (from, to))
ON_PATH(int, -1, linkat, (int a, const char *from, int b, const char *to, int flags), a, from, (a, from, b, to, flags))
ON_PATH(int, -1, mkdir, (const char *path, mode_t mode), AT_FDCWD, path, (path, mode))
ON_PATH(int, -1, mkdirat, (int fd, const char *path, mode_t mode), fd, path, (fd, path, mode))
ON_PATH(int, -1, rmdir, (const char *path), AT_FDCWD, path, (path))
ON_PATH(ssize_t, -1, readlink, (const char *path, char *to, size_t size), AT_FDCWD, path, (path, to, size))
ON_PATH(DIR *, NULL, opendir, (const char *path), AT_FDCWD, path, (path))

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t from) {
  if (refused("mmap", !(flags & MAP_ANONYMOUS) && is_ours(fd))) return MAP_FAILED;
  return NEXT(mmap)(at, size, protection, flags, fd, from);
}

void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t from) {
  if (refused("mmap64", !(flags & MAP_ANONYMOUS) && is_ours(fd))) return MAP_FAILED;
  return NEXT(mmap64)(at, size, protection, flags, fd, from);
}
