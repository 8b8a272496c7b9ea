#pragma once
#include <zlib.h>

/// `deflateInit2` and `inflateInit2` are macros, which Swift does not import.
static inline int ksbuild_deflateInit2(z_streamp stream, int level, int windowBits, int memLevel, int strategy) {
    return deflateInit2(stream, level, Z_DEFLATED, windowBits, memLevel, strategy);
}

static inline int ksbuild_inflateInit2(z_streamp stream, int windowBits) {
    return inflateInit2(stream, windowBits);
}
