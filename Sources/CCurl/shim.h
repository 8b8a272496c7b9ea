#pragma once
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

/// `curl_easy_setopt` and `curl_easy_getinfo` are variadic, which Swift does not import: one function for each type.
static inline CURLcode ksbuild_setLong(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ksbuild_setText(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ksbuild_setPointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ksbuild_setOffset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLSHcode ksbuild_share(CURLSH *share, curl_lock_data kind) {
    return curl_share_setopt(share, CURLSHOPT_SHARE, kind);
}

/// What takes the bytes of a body or the lines of a head.
typedef size_t (*ksbuild_takeBytes)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode ksbuild_setTaker(CURL *handle, CURLoption option, ksbuild_takeBytes value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ksbuild_setProgress(CURL *handle, curl_xferinfo_callback value) {
    return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, value);
}

static inline CURLcode ksbuild_getLong(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

/// The flags of `curl_global_init` and the kinds of authentication are macros with casts.
static const long ksbuild_globalDefault = CURL_GLOBAL_DEFAULT;
static const long ksbuild_authBasic = (long)CURLAUTH_BASIC;
static const long ksbuild_authBearer = (long)CURLAUTH_BEARER;
