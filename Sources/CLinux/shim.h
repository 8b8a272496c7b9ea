#pragma once
#include <sys/types.h>

/// `<unistd.h>` declares it only to GNU programs, and Swift does not import it.
ssize_t copy_file_range(int from, off_t *fromOffset, int to, off_t *toOffset, size_t count, unsigned flags);

/// The same with `<fcntl.h>`.
int sync_file_range(int file, off_t offset, off_t count, unsigned flags);

/// `SYNC_FILE_RANGE_WRITE` of `<linux/fs.h>`: begin to write, and do not wait for it.
static const unsigned ksbuild_beginWriting = 2;
