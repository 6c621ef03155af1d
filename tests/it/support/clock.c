/* Lets the wall clock of a program jump at every reading, an hour forward and an hour back in turn, for a test. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    static atomic_int readings;
    static const char said[] = "the wall clock was read\n";
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (clock != CLOCK_REALTIME || result)
        return result;
    now->tv_sec += atomic_fetch_add(&readings, 1) % 2 ? 3600 : -3600;
    (void)!write(2, said, sizeof said - 1);
    return result;
}
