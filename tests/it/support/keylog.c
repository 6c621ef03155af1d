/* Preloaded into a program that uses OpenSSL: appends its key log (NSS Key Log Format) to the file $KEYLOG. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef void (*callback)(const void *ssl, const char *line);

static void append(const void *ssl, const char *line)
{
    (void)ssl;
    const char *path = getenv("KEYLOG");
    int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    if (file < 0)
        return;
    /* One write: lines of several processes never mix. */
    char whole[1024];
    int len = snprintf(whole, sizeof whole, "%s\n", line);
    if (len > 0 && write(file, whole, (size_t)len) < 0)
        perror("keylog");
    close(file);
}

void *SSL_CTX_new(const void *method)
{
    void *(*real)(const void *) = (void *(*)(const void *))dlsym(RTLD_NEXT, "SSL_CTX_new");
    void (*set)(void *, callback) = (void (*)(void *, callback))dlsym(RTLD_DEFAULT, "SSL_CTX_set_keylog_callback");
    void *context = real ? real(method) : NULL;
    if (context && set)
        set(context, append);
    return context;
}
