/* Debian's musl has no crypt. This one fits no password, so that the lab's
   programs let nobody in by one. */
char *crypt(const char *key, const char *salt);

char *crypt(const char *key, const char *salt)
{
    (void)key;
    (void)salt;
    return 0;
}
