/* SPDX-License-Identifier: Apache-2.0 */
/* kpublish is linked with jemalloc. A window of messages is taken and given back all the time, in threads of the
 * buses' libraries, and glibc's malloc spends a third of the CPU time on joining and splitting those pieces.
 *
 * One arena: few threads allocate, and with one for each there would be as much memory lying idle in each. What is
 * free goes back to the system after a tenth of a second instead of ten: a window fills again within that, or not. */
extern const char *malloc_conf; /* jemalloc(3), TUNING: read before main */
const char *malloc_conf = "narenas:1,dirty_decay_ms:100";
