/* What a processor does better in loops: the selective scan and the sLSTM, forward and backward, and dropout's dice.

   As many channels at a time as a register holds, in the order of the source, so that a lane is the same bits wherever
   it lies: no sum depends on an address, a thread or a neighbour. The formulas are those of scan.py, recurrence.py and
   draws.py. Any C compiler with the vector extension of GCC and Clang builds it. All arrays are dense, in the layouts
   written beside them. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* One register of the processor: of more than that at once, a compiler makes loads and stores, four times as slow. */
#if defined(__AVX512F__)
#define WIDE 16
#elif defined(__AVX__)
#define WIDE 8
#else
#define WIDE 4
#endif

typedef float floats __attribute__((vector_size(4 * WIDE)));
typedef int ints __attribute__((vector_size(4 * WIDE)));

static inline floats all(float value) { return value - (floats){0}; }

/* The next values of a row; beyond its end, the filler. */
static inline floats load_or(const float *from, long count, float filler) {
    floats x = all(filler);
    if (count >= WIDE) memcpy(&x, from, sizeof x);
    else memcpy(&x, from, 4 * count);
    return x;
}

static inline floats load(const float *from, long count) { return load_or(from, count, 0); }

static inline void store(float *to, floats x, long count) {
    if (count >= WIDE) memcpy(to, &x, sizeof x);
    else memcpy(to, &x, 4 * count);
}

static inline floats pick(ints mask, floats yes, floats no) {
    return (floats)((mask & (ints)yes) | (~mask & (ints)no));
}

static inline floats larger(floats x, floats y) { return pick(x > y, x, y); }

/* In a fixed order: halves onto halves. */
static inline float total(floats x) {
    float part[WIDE];
    memcpy(part, &x, sizeof part);
    for (int half = WIDE / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) part[i] += part[i + half];
    return part[0];
}

/* exp(x) and exp(x) - 1, both to about 1e-7 of their own size, and, for |x| < 0.34, the q of exp(x) - 1 = x + x^2 q. */
typedef struct { floats exp, less_one, q; ints near; } powers;

static inline powers powers_of(floats x) {
    x = pick(x < all(-87.0f), all(-87.0f), pick(x > all(88.0f), all(88.0f), x));
    floats k = (x * 1.44269504f + 12582912.0f) - 12582912.0f; /* rounds to whole numbers */
    floats r = (x - k * 0.693359375f) + k * 2.12194440e-4f;
    floats q = r * (1.0f / 5040) + (1.0f / 720);
    q = q * r + (1.0f / 120);
    q = q * r + (1.0f / 24);
    q = q * r + (1.0f / 6);
    q = q * r + 0.5f;
    floats p = r * r * q + r;
    floats scale = (floats)((__builtin_convertvector(k, ints) + 127) << 23);
    return (powers){scale * p + scale, scale * p + (scale - 1.0f), q, k == 0.0f};
}

/* Selective scan:
   u, delta, y (lanes, clips, steps, channels); a (lanes, states, channels); b, c (lanes, clips, steps, states) */

typedef struct { long lanes, clips, steps, channels, states, backward, euler; } scan_size;

int scan(const scan_size *size, const float *u, const float *delta, const float *a, const float *b, const float *c,
          float *y) {
    long D = size->channels, N = size->states, T = size->steps;
    floats rate[N], inverse[N], state[N];
    for (long lane = 0; lane < size->lanes; lane++)
        for (long d = 0; d < D; d += WIDE) {
            long count = D - d;
            for (long n = 0; n < N; n++) {
                rate[n] = load_or(a + (lane * N + n) * D + d, count, -1);
                inverse[n] = 1.0f / rate[n];
            }
            for (long clip = lane * size->clips; clip < (lane + 1) * size->clips; clip++) {
                for (long n = 0; n < N; n++) state[n] = all(0);
                for (long s = 0; s < T; s++) {
                    long row = clip * T + (size->backward ? T - 1 - s : s);
                    floats in = load(u + row * D + d, count), step = load(delta + row * D + d, count), out = all(0);
                    for (long n = 0; n < N; n++) {
                        powers at = powers_of(step * rate[n]);
                        floats gain = size->euler ? step : at.less_one * inverse[n];
                        state[n] = at.exp * state[n] + gain * (in * b[row * N + n]);
                        out += state[n] * c[row * N + n];
                    }
                    store(y + row * D + d, out, count);
                }
            }
        }
    return 0;
}

/* What one step leaves behind: the state before it, exp(delta a), the gain of its input, and that gain's slope by a. */
typedef struct { floats before, keep, gain, slope; } moment;

static void relive(const scan_size *size, long clip, long d, const float *u, const float *delta, const float *b,
                   const floats *rate, const floats *inverse, moment *past) {
    long D = size->channels, N = size->states, T = size->steps;
    floats state[N];
    for (long n = 0; n < N; n++) state[n] = all(0);
    for (long s = 0; s < T; s++) {
        long row = clip * T + (size->backward ? T - 1 - s : s);
        floats in = load(u + row * D + d, D - d), step = load(delta + row * D + d, D - d);
        for (long n = 0; n < N; n++) {
            floats x = step * rate[n];
            powers at = powers_of(x);
            floats gain = size->euler ? step : at.less_one * inverse[n];
            /* delta exp(x) - gain, without the cancellation that it has near zero */
            floats slope = pick(at.near, step * x * (1.0f - at.q + x * at.q), step * at.exp - gain);
            past[s * N + n] = (moment){state[n], at.exp, gain, size->euler ? all(0) : slope * inverse[n]};
            state[n] = at.exp * state[n] + gain * (in * b[row * N + n]);
        }
    }
}

/* Gives 0, or 1 where memory was refused. da must come zeroed. */
int scan_gradients(const scan_size *size, const float *u, const float *delta, const float *a, const float *b,
                   const float *c, const float *dy, float *du, float *ddelta, float *da, float *db, float *dc) {
    long D = size->channels, N = size->states, T = size->steps;
    floats rate[N], inverse[N], pull[N], drate[N];
    moment *past = aligned_alloc(64, T * N * sizeof(moment));
    floats *sums = aligned_alloc(64, 2 * T * N * sizeof(floats));
    if (past == NULL || sums == NULL) { free(past); free(sums); return 1; }
    for (long clip = 0; clip < size->lanes * size->clips; clip++) {
        long lane = clip / size->clips;
        memset(sums, 0, 2 * T * N * sizeof(floats));
        for (long d = 0; d < D; d += WIDE) {
            long count = D - d;
            for (long n = 0; n < N; n++) {
                rate[n] = load_or(a + (lane * N + n) * D + d, count, -1);
                inverse[n] = 1.0f / rate[n];
                drate[n] = load(da + (lane * N + n) * D + d, count);
                pull[n] = all(0);
            }
            relive(size, clip, d, u, delta, b, rate, inverse, past);
            for (long s = T - 1; s >= 0; s--) {
                long row = clip * T + (size->backward ? T - 1 - s : s);
                floats in = load(u + row * D + d, count), step = load(delta + row * D + d, count);
                floats up = load(dy + row * D + d, count), din = all(0), dstep = all(0);
                for (long n = 0; n < N; n++) {
                    const moment *at = past + s * N + n;
                    float into = b[row * N + n];
                    floats state = at->keep * at->before + at->gain * (in * into);
                    floats g = up * c[row * N + n] + pull[n], fed = in * into, kept = at->keep * at->before;
                    sums[s * N + n] += g * (at->gain * in);
                    sums[(T + s) * N + n] += up * state;
                    din += g * at->gain * into;
                    dstep += g * (rate[n] * kept + (size->euler ? fed : at->keep * fed));
                    drate[n] += g * (kept * step + fed * at->slope);
                    pull[n] = g * at->keep;
                }
                store(du + row * D + d, din, count);
                store(ddelta + row * D + d, dstep, count);
            }
            for (long n = 0; n < N; n++) store(da + (lane * N + n) * D + d, drate[n], count);
        }
        for (long s = 0; s < T; s++) {
            long row = clip * T + (size->backward ? T - 1 - s : s);
            for (long n = 0; n < N; n++) {
                db[row * N + n] = total(sums[s * N + n]);
                dc[row * N + n] = total(sums[(T + s) * N + n]);
            }
        }
    }
    free(past);
    free(sums);
    return 0;
}

/* The sLSTM:
   gates (lanes, clips, steps, 4, channels) in the order i, f, z, o; recurrent (lanes, channels, 4, head) */

typedef struct { long lanes, clips, steps, channels, head; } cell_size;

static inline floats sigmoid(floats x) { return 1.0f / (1.0f + powers_of(-x).exp); }

static inline floats hyperbolic(floats x) {
    ints negative = x < 0.0f;
    floats m = powers_of(pick(negative, x, -x) * 2.0f).less_one, size = -m / (2.0f + m);
    return pick(negative, -size, size);
}

/* log(sigmoid(x)) = min(x, 0) - log(1 + exp(-|x|)), the logarithm by 2 artanh(y / (2 + y)). */
static inline floats log_sigmoid(floats x) {
    ints negative = x < 0.0f;
    floats y = powers_of(pick(negative, x, -x)).exp, s = y / (2.0f + y), t = s * s;
    floats sum = t * (1.0f / 15) + (1.0f / 13);
    sum = sum * t + (1.0f / 11);
    sum = sum * t + (1.0f / 9);
    sum = sum * t + (1.0f / 7);
    sum = sum * t + 0.2f;
    sum = sum * t + (1.0f / 3);
    sum = sum * t + 1.0f;
    return pick(negative, x, all(0)) - 2.0f * s * sum;
}

/* to[g, k] += from[j] * matrix[j, g, k] for every j of a head */
static inline __attribute__((always_inline)) void spread(long head, long channels, const float *from,
                                                         const float *matrix, float *to) {
    for (long j = 0; j < head; j++)
        for (int g = 0; g < 4; g++)
            for (long k = 0; k < head; k++) to[g * channels + k] += from[j] * matrix[(j * 4 + g) * head + k];
}

/* to[j] += from[g, k] * transposed[g, k, j] */
static inline __attribute__((always_inline)) void gather(long head, long channels, const float *from,
                                                         const float *transposed, float *to) {
    for (int g = 0; g < 4; g++)
        for (long k = 0; k < head; k++)
            for (long j = 0; j < head; j++) to[j] += from[g * channels + k] * transposed[(g * head + k) * head + j];
}

static void spread_heads(long head, long channels, const float *from, const float *matrix, float *to) {
    for (long d = 0; d < channels; d += head) {
        if (head == 16) spread(16, channels, from + d, matrix + d * 64, to + d);
        else if (head == 64) spread(64, channels, from + d, matrix + d * 256, to + d);
        else spread(head, channels, from + d, matrix + d * 4 * head, to + d);
    }
}

static void gather_heads(long head, long channels, const float *from, const float *transposed, float *to) {
    for (long d = 0; d < channels; d += head) {
        if (head == 16) gather(16, channels, from + d, transposed + d * 64, to + d);
        else if (head == 64) gather(64, channels, from + d, transposed + d * 256, to + d);
        else gather(head, channels, from + d, transposed + d * 4 * head, to + d);
    }
}

/* gates is made what they are with the recurrent part; cells, norms, scales and y (lanes, clips, steps, channels) */
int cell(const cell_size *size, float *gates, const float *recurrent, float *cells, float *norms, float *scales,
          float *y) {
    long D = size->channels, T = size->steps;
    for (long clip = 0; clip < size->lanes * size->clips; clip++)
        for (long t = 0; t < T; t++) {
            long row = clip * T + t;
            float *pre = gates + row * 4 * D;
            if (t > 0)
                spread_heads(size->head, D, y + (row - 1) * D, recurrent + clip / size->clips * D * 4 * size->head,
                             pre);
            for (long d = 0; d < D; d += WIDE) {
                long count = D - d, at = row * D + d;
                floats i = load(pre + d, count), f = log_sigmoid(load(pre + D + d, count)), c = all(0), n = all(0);
                floats m = i;
                if (t > 0) {
                    floats last = load(scales + at - D, count);
                    m = larger(i, f + last);
                    floats keep = powers_of(f + last - m).exp;
                    /* powers_of stops at exp(-87): what should be forgotten whole is */
                    keep = pick(f + last - m < all(-80.0f), all(0), keep);
                    c = keep * load(cells + at - D, count);
                    n = keep * load(norms + at - D, count);
                }
                floats enter = powers_of(i - m).exp;
                c += enter * hyperbolic(load(pre + 2 * D + d, count));
                n += enter;
                store(cells + at, c, count);
                store(norms + at, n, count);
                store(scales + at, m, count);
                store(y + at, sigmoid(load(pre + 3 * D + d, count)) * c / n, count);
            }
        }
    return 0;
}

/* dgates (lanes, clips, steps, 4, channels); transposed (lanes, channels / head, 4, head, head) */
int cell_gradients(const cell_size *size, const float *gates, const float *transposed, const float *cells,
                   const float *norms, const float *scales, const float *dy, float *dgates) {
    long D = size->channels, T = size->steps, whole = (D + WIDE - 1) / WIDE * WIDE;
    float *kept = aligned_alloc(64, 3 * whole * sizeof(float));
    if (kept == NULL) return 1;
    float *dcell = kept, *dnorm = kept + whole, *back = kept + 2 * whole;
    for (long clip = 0; clip < size->lanes * size->clips; clip++) {
        memset(kept, 0, 3 * whole * sizeof(float));
        for (long t = T - 1; t >= 0; t--) {
            long row = clip * T + t;
            const float *pre = gates + row * 4 * D;
            float *dpre = dgates + row * 4 * D;
            for (long d = 0; d < D; d += WIDE) {
                long count = D - d, at = row * D + d;
                floats i = load(pre + d, count), raw = load(pre + D + d, count), m = load(scales + at, count);
                floats z = hyperbolic(load(pre + 2 * D + d, count)), o = sigmoid(load(pre + 3 * D + d, count));
                floats c = load(cells + at, count), n = load_or(norms + at, count, 1);
                floats up = load(dy + at, count) + load(back + d, WIDE), ratio = c / n, part = up * o / n;
                floats dc = load(dcell + d, WIDE) + part, dn = load(dnorm + d, WIDE) - part * ratio;
                floats enter = powers_of(i - m).exp, keep = all(0), dkeep = all(0);
                if (t > 0) {
                    floats x = log_sigmoid(raw) + load(scales + at - D, count) - m;
                    keep = pick(x < all(-80.0f), all(0), powers_of(x).exp);
                    dkeep = dc * load(cells + at - D, count) + dn * load(norms + at - D, count);
                }
                store(dpre + d, (dc * z + dn) * enter, count);
                store(dpre + D + d, dkeep * keep * sigmoid(-raw), count);
                store(dpre + 2 * D + d, dc * enter * (1.0f - z * z), count);
                store(dpre + 3 * D + d, up * ratio * o * (1.0f - o), count);
                store(dcell + d, dc * keep, WIDE);
                store(dnorm + d, dn * keep, WIDE);
            }
            memset(back, 0, whole * sizeof(float));
            if (t > 0) gather_heads(size->head, D, dpre, transposed + clip / size->clips * D * 4 * size->head, back);
        }
    }
    free(kept);
    return 0;
}

/* Dropout's dice:
   key, threshold, factor (lanes); kept (lanes, count): factor where the value's 16 bits reach the threshold, else 0 */

typedef struct { long lanes, count, start; } dice_size;

static inline uint64_t mixed(uint64_t word) {
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9u;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EBu;
    return word ^ (word >> 31);
}

int dice(const dice_size *size, const uint64_t *key, const int32_t *threshold, const float *factor, float *kept) {
    long first = size->start / 4, skipped = size->start % 4, words = (skipped + size->count + 3) / 4;
    uint64_t *word = malloc(words * sizeof(uint64_t));
    uint16_t *value = malloc(words * sizeof(uint64_t));
    if (word == NULL || value == NULL) { free(word); free(value); return 1; }
    for (long lane = 0; lane < size->lanes; lane++) {
        for (long n = 0; n < words; n++) word[n] = mixed(key[lane] + (uint64_t)(first + n + 1) * 0x9E3779B97F4A7C15u);
        memcpy(value, word, words * sizeof(uint64_t)); /* the lowest 16 bits first, as on every processor torch runs on */
        float *to = kept + lane * size->count;
        int32_t least = threshold[lane];
        float whole = factor[lane];
        for (long n = 0; n < size->count; n++) to[n] = (int32_t)value[skipped + n] >= least ? whole : 0.0f;
    }
    free(word);
    free(value);
    return 0;
}
