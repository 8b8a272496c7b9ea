#pragma once
#include <sys/types.h>

/// `<unistd.h>` declares it only to GNU programs, and Swift does not import it.
ssize_t copy_file_range(int from, off_t *fromOffset, int to, off_t *toOffset, size_t count, unsigned flags);
