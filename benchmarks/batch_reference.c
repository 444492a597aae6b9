/* The batched reference of spicealif/reference/batch_step.py and batch_kernel.py in C, by AVX-512
 * intrinsics, for the comparison of speed.
 *
 * Same method and same tables: lanes in step, a crossing sought by trials in the lane itself.
 * Stimuli without sines only, neurons in the order given, no pauses. What a compiler does not do by
 * itself: 2**z from a table of 16 values held in two registers and a short polynomial (or the long
 * polynomial, -DLONG), scaling by vscalefpd, flags as bits of one word. */
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#ifndef LANES
#define LANES 64
#endif
#define VECTORS (LANES / 8)
#define EACH for (int u = 0; u < VECTORS; u++)

typedef __m512d vec;
typedef union { vec v[VECTORS]; double s[LANES]; } field;
typedef struct { field v, x, energy, m, md, kv, kx, i_0; } state;
typedef struct {
    field length, base, count, end, peak, row, i_piece, slope, sign, offset;
    field v_rest, d_0, d_1, g_0, g_1, c_inv, g_switch, z_on, z_inv, k, tau_inv;
    field i_m, i_1, v_2, v_3, v_4, kv_2, kv_3, kv_4, kx_2, kx_3, kx_4, z, xs, d_inv;
    state y[2];
    double h[LANES], s[LANES], t_event[LANES], t_last[LANES], estimate[LANES], short_[LANES];
    double full[LANES];
    int64_t neuron[LANES], kind[LANES], phase[LANES], piece[LANES], j[LANES], timed[LANES];
    int64_t events[LANES], trials[LANES], steps[LANES];
} lanes;
typedef struct {
    const double *par, *pieces;   /* rows of 23 and of 4 */
    const int64_t *first;         /* rows of 2 */
    double *ends, *spikes;        /* rows of 8 and of 2 */
    int64_t listed, busy;
} tables;

enum { INTEGRATE, DELAY_ON, DISCHARGE, DELAY_OFF, HELD };
enum { IDLE, GRID, PART, TRIAL };
enum { BEGIN, NOTHING, CROSSED, TIMER, GOES_ON };

static inline vec set(double a) { return _mm512_set1_pd(a); }
static inline vec fma_(vec a, vec b, vec c) { return _mm512_fmadd_pd(a, b, c); }

#ifdef LONG
static inline vec exp2_(vec z)
{
    z = _mm512_min_pd(_mm512_max_pd(z, set(-240.0)), set(240.0));
    vec n = _mm512_roundscale_pd(z, 8), f = z - n, f2 = f * f, f4 = f2 * f2;
    vec lo = fma_(fma_(set(0.055504108664821625), f, set(0.24022650695910158)), f2,
                  fma_(set(0.6931471805599453), f, set(1.0)));
    vec mi = fma_(fma_(set(1.5252733841556773e-05), f, set(0.00015403530463724353)), f2,
                  fma_(set(0.001333355814640647), f, set(0.009618129107587256)));
    vec hi = fma_(fma_(set(4.4558179083360645e-10), f, set(7.074194297288521e-09)), f2,
                  fma_(set(1.0178057087733941e-07), f, set(1.3215432535912375e-06)));
    return _mm512_scalef_pd(fma_(f4, fma_(f4, hi, mi), lo), n);
}
#else
static vec table[2];
static inline vec exp2_(vec z)
{
    z = _mm512_min_pd(_mm512_max_pd(z, set(-240.0)), set(240.0));
    const vec shift = set(6755399441055744.0 / 16.0);
    vec t = z + shift, n = t - shift, f = z - n, f2 = f * f; /* n: multiples of 1/16 */
    vec w = _mm512_permutex2var_pd(table[0], _mm512_castpd_si512(t), table[1]);
    /* Taylor: |f ln 2| <= 0.022 */
    vec lo = fma_(set(0.24022650695910072), f, set(0.6931471805599453));
    vec mi = fma_(set(0.009618129107628477), f, set(0.05550410866482158));
    vec hi = fma_(set(0.00015403530393381608), f, set(0.0013333558146428443));
    vec p = fma_(f2, fma_(f2, hi, mi), lo);
    return _mm512_scalef_pd(fma_(w * f, p, w), n); /* scalef takes the floor of n */
}
#endif

static inline vec x_rate(const lanes *w, int u, vec z, vec x)
{
    vec a = exp2_(z), b = a + w->k.v[u], c = a + set(1.0);
    return w->tau_inv.v[u] * (b * (set(1.0) - x) - a * c * x) / (b * c);
}
static inline vec v_rate(const lanes *w, int u, vec i, vec v, vec m, vec x)
{
    return w->c_inv.v[u] * ((i - w->g_switch.v[u] * v) - m * fma_(w->g_1.v[u], x, w->g_0.v[u]));
}
static inline vec stage(lanes *w, const state *y, int u, vec q, vec kv, vec kx, vec i, field *v_to)
{
    vec v = fma_(q, kv, y->v.v[u]), x = fma_(q, kx, y->x.v[u]);
    vec m = (v - w->v_rest.v[u]) / fma_(w->d_1.v[u], x, w->d_0.v[u]);
    w->xs.v[u] = x;
    w->z.v[u] = w->z_on.v[u] - m * w->z_inv.v[u];
    v_to->v[u] = v;
    return v_rate(w, u, i, v, m, x);
}

static uint64_t step(lanes *w, const state *y, state *e)
{
    const vec half = set(0.5), two = set(2.0), zero = set(0.0), third = set(1.0 / 3.0);
    uint64_t flags = 0;
    EACH {
        vec h = w->length.v[u], p = fma_(w->count.v[u], h, w->base.v[u]);
        w->i_m.v[u] = fma_(w->slope.v[u], fma_(half, h, p), w->i_piece.v[u]);
        w->i_1.v[u] = fma_(w->slope.v[u], p + h, w->i_piece.v[u]);
        w->peak.v[u] = _mm512_max_pd(w->peak.v[u], y->v.v[u] + w->row.v[u]);
        vec q = half * h;
        w->kv_2.v[u] = stage(w, y, u, q, y->kv.v[u], y->kx.v[u], w->i_m.v[u], &w->v_2);
    }
    EACH w->kx_2.v[u] = x_rate(w, u, w->z.v[u], w->xs.v[u]);
    EACH w->kv_3.v[u] = stage(w, y, u, half * w->length.v[u], w->kv_2.v[u], w->kx_2.v[u],
                              w->i_m.v[u], &w->v_3);
    EACH w->kx_3.v[u] = x_rate(w, u, w->z.v[u], w->xs.v[u]);
    EACH w->kv_4.v[u] = stage(w, y, u, w->length.v[u], w->kv_3.v[u], w->kx_3.v[u], w->i_1.v[u],
                              &w->v_4);
    EACH w->kx_4.v[u] = x_rate(w, u, w->z.v[u], w->xs.v[u]);
    EACH {
        vec s = w->length.v[u] * set(1.0 / 6.0), i = w->i_1.v[u], v_0 = y->v.v[u];
        vec v = v_0 + s * (y->kv.v[u] + two * (w->kv_2.v[u] + w->kv_3.v[u]) + w->kv_4.v[u]);
        vec x = y->x.v[u] + s * (y->kx.v[u] + two * (w->kx_2.v[u] + w->kx_3.v[u]) + w->kx_4.v[u]);
        vec work = v_0 * y->i_0.v[u] + two * w->i_m.v[u] * (w->v_2.v[u] + w->v_3.v[u]);
        vec d_inv = set(1.0) / fma_(w->d_1.v[u], x, w->d_0.v[u]);
        vec m = (v - w->v_rest.v[u]) * d_inv;
        e->energy.v[u] = y->energy.v[u] + s * (work + w->v_4.v[u] * i);
        e->v.v[u] = v;
        e->x.v[u] = x;
        e->m.v[u] = m;
        e->i_0.v[u] = i;
        e->kv.v[u] = v_rate(w, u, i, v, m, x);
        w->z.v[u] = w->z_on.v[u] - m * w->z_inv.v[u];
        w->d_inv.v[u] = d_inv;
    }
    EACH {
        vec m = e->m.v[u], kx = x_rate(w, u, w->z.v[u], e->x.v[u]);
        vec md = (e->kv.v[u] - m * w->d_1.v[u] * kx) * w->d_inv.v[u];
        e->kx.v[u] = kx;
        e->md.v[u] = md;
        vec sign = w->sign.v[u], offset = w->offset.v[u], q = third * w->length.v[u] * sign;
        vec g = sign * m - offset, b_2 = g - q * md;
        vec b_1 = (sign * y->m.v[u] - offset) + q * y->md.v[u];
        vec count = w->count.v[u] + set(1.0);
        w->count.v[u] = count;
        __mmask8 hit = _mm512_cmp_pd_mask(g, zero, _CMP_GE_OQ)
            | _mm512_cmp_pd_mask(b_1, zero, _CMP_GE_OQ) | _mm512_cmp_pd_mask(b_2, zero, _CMP_GE_OQ)
            | _mm512_cmp_pd_mask(count, w->end.v[u], _CMP_GE_OQ);
        flags |= (uint64_t)hit << (8 * u);
    }
    return flags;
}

static double careful_root(double g_0, double b_1, double b_2, double g_1)
{
    double c_1 = 3.0 * (b_1 - g_0), c_2 = 3.0 * (b_2 - 2.0 * b_1 + g_0);
    double c_3 = g_1 - g_0 + 3.0 * (b_1 - b_2), disc = c_2 * c_2 - 3.0 * c_3 * c_1;
    double ends[3] = {2.0, 2.0, 1.0}, lo = 0.0, hi = -1.0;
    if (disc > 0.0) {
        double z = -(c_2 + copysign(sqrt(disc), c_2));
        double r_1 = z != 0.0 ? c_1 / z : 2.0, r_2 = c_3 != 0.0 ? z / (3.0 * c_3) : 2.0;
        ends[0] = fmin(r_1 > 0.0 ? r_1 : 2.0, r_2 > 0.0 ? r_2 : 2.0);
        ends[1] = fmax(r_1, r_2);
    }
    for (int n = 0; n < 3 && hi < 0.0; n++) {
        double a = ends[n];
        if (a <= lo || a > 1.0) continue;
        double p = a == 1.0 ? g_1 : g_0 + a * (c_1 + a * (c_2 + a * c_3));
        if (p >= 0.0) hi = a; else lo = a;
    }
    if (hi < 0.0) return -1.0;
    for (int n = 0; n < 60; n++) {
        double s = 0.5 * (lo + hi);
        if (g_0 + s * (c_1 + s * (c_2 + s * c_3)) < 0.0) lo = s; else hi = s;
    }
    return 0.5 * (lo + hi);
}

static inline double root_of(double g_0, double b_1, double b_2, double g_1)
{
    if (!(g_0 < b_1 && b_1 < b_2 && b_2 < g_1 && g_1 > 0.0))
        return careful_root(g_0, b_1, b_2, g_1);
    double c_1 = 3.0 * (b_1 - g_0), c_2 = 3.0 * (b_2 - 2.0 * b_1 + g_0);
    double c_3 = g_1 - g_0 + 3.0 * (b_1 - b_2), s = g_0 / (g_0 - g_1);
    for (int n = 0; n < 3; n++) {
        double p = g_0 + s * (c_1 + s * (c_2 + s * c_3));
        s = fmin(fmax(s - p / (c_1 + s * (2.0 * c_2 + s * 3.0 * c_3)), 0.0), 1.0);
    }
    return s;
}

static void end_lane(int n, state *e, int status, double t, lanes *w, tables *q)
{
    double *row = q->ends + 8 * w->neuron[n];
    row[0] = e->v.s[n]; row[1] = e->x.s[n]; row[2] = e->energy.s[n];
    row[3] = fmax(w->peak.s[n], e->v.s[n]);
    row[4] = t; row[5] = status; row[6] = (double)w->steps[n];
    w->kind[n] = IDLE;
    q->busy--;
    w->length.s[n] = w->base.s[n] = w->count.s[n] = w->sign.s[n] = 0.0;
    w->end.s[n] = INFINITY; w->row.s[n] = -INFINITY; w->offset.s[n] = 1.0;
    e->v.s[n] = e->x.s[n] = e->energy.s[n] = e->m.s[n] = e->md.s[n] = 0.0;
    e->kv.s[n] = e->kx.s[n] = e->i_0.s[n] = 0.0;
}

static void enter_phase(int n, int64_t phase, const double *p, lanes *w)
{
    w->sign.s[n] = phase == INTEGRATE ? 1.0 : phase == DISCHARGE ? -1.0 : 0.0;
    w->offset.s[n] = phase == INTEGRATE ? p[12] : phase == DISCHARGE ? -p[13] : 1.0;
    w->c_inv.s[n] = phase == HELD ? 0.0 : p[0];
    w->g_switch.s[n] = phase == DISCHARGE || phase == DELAY_OFF ? p[16] : 0.0;
}

static void settle(int n, state *e, int happened, lanes *w, tables *q)
{
    const int64_t r = w->neuron[n];
    const double *p = q->par + 23 * r, *in = q->pieces + 4 * w->piece[n];
    int64_t phase = w->phase[n];
    double j = (double)w->j[n], t_0 = in[0], h = w->h[n], s = w->s[n];
    int stale = happened != NOTHING;
    if (happened == BEGIN) happened = NOTHING;
    for (;;) {
        if (happened != NOTHING) {
            double t = happened == TIMER ? w->t_event[n] : t_0 + (j * h + s);
            int fired = phase == DELAY_ON;
            w->events[n]++;
            w->peak.s[n] = fmax(w->peak.s[n], e->v.s[n]);
            if (phase == INTEGRATE) {
                fired = p[20] == 0.0 || p[17] == 0.0;
                if (p[20] == 0.0) {
                    e->v.s[n] = p[14];
                    if (p[15] > 0.0) { phase = HELD; w->t_event[n] = t + p[15]; }
                } else if (p[17] > 0.0) { phase = DELAY_ON; w->t_event[n] = t + p[17]; }
                else phase = DISCHARGE;
            } else if (phase == DELAY_ON) phase = DISCHARGE;
            else if (phase == DISCHARGE && p[18] > 0.0) {
                phase = DELAY_OFF; w->t_event[n] = t + p[18];
            } else phase = INTEGRATE;
            enter_phase(n, phase, p, w);
            if (fired) {
                q->spikes[2 * q->listed] = (double)r;
                q->spikes[2 * q->listed++ + 1] = t;
                q->ends[8 * r + 7] += 1.0;
                if (t <= w->t_last[n]) w->events[n] = 10001;
                w->t_last[n] = t;
            }
            if (w->events[n] > 10000) { end_lane(n, e, 1, t, w, q); return; }
            stale = 1;
            happened = NOTHING;
        } else if (j == in[3]) {
            in += 4;
            w->piece[n]++;
            t_0 = in[0];
            if (w->piece[n] + 1 == q->first[2 * (r + 1)]) {
                end_lane(n, e, isfinite(e->v.s[n]) ? 0 : 2, t_0, w, q);
                return;
            }
            j = s = 0.0;
            stale = 1;
            w->h[n] = h = (in[4] - t_0) / in[3];
            w->i_piece.s[n] = in[1];
            w->slope.s[n] = in[2];
        }
        double position = j * h + s;
        if (stale) {
            double i = w->i_piece.s[n] + w->slope.s[n] * position, v = e->v.s[n], x = e->x.s[n];
            double d = p[2] + p[3] * x, m = (v - p[1]) / d, a = exp(p[6] - m * p[7]);
            double b = a + p[8], c = 1.0 + a;
            double kv = w->c_inv.s[n] * ((i - w->g_switch.s[n] * v) - m * (p[4] + p[5] * x));
            double kx = (b * (1.0 - x) - a * c * x) / (p[9] * (c * b));
            e->m.s[n] = m; e->kv.s[n] = kv; e->kx.s[n] = kx; e->i_0.s[n] = i;
            e->md.s[n] = (kv - m * p[3] * kx) / d;
            stale = 0;
        }
        if (w->sign.s[n] * e->m.s[n] - w->offset.s[n] >= 0.0) { happened = CROSSED; continue; }
        double length = h - s, due = INFINITY;
        int timed = 0;
        if (phase == DELAY_ON || phase == DELAY_OFF || phase == HELD) {
            due = fmax(w->t_event[n] - (t_0 + position), 0.0);
            timed = due <= length;
            length = fmin(due, length);
        }
        if (timed && length == 0.0) { happened = TIMER; w->steps[n]++; continue; }
        int in_parts = (phase == DISCHARGE || phase == DELAY_OFF) && length > p[19];
        if (s == 0.0 && !timed && !in_parts) {
            double last = in[3];
            if (due < (last - j) * h) last = j + fmax(ceil(due / h) - 1.0, 1.0);
            w->kind[n] = GRID; w->base.s[n] = 0.0; w->length.s[n] = h;
            w->count.s[n] = j; w->end.s[n] = last; w->row.s[n] = 0.0;
        } else {
            double parts = in_parts ? ceil(length / p[19]) : 1.0;
            w->peak.s[n] = fmax(w->peak.s[n], e->v.s[n]);
            w->kind[n] = PART; w->base.s[n] = position; w->length.s[n] = length / parts;
            w->count.s[n] = 0.0; w->end.s[n] = parts; w->row.s[n] = -INFINITY;
        }
        w->phase[n] = phase; w->j[n] = (int64_t)j; w->s[n] = s; w->timed[n] = timed;
        return;
    }
}

static void load(int n, int64_t r, state *e, lanes *w, tables *q)
{
    const double *p = q->par + 23 * r, *in = q->pieces + 4 * q->first[2 * r];
    const double log2_e = 1.4426950408889634;
    e->v.s[n] = w->peak.s[n] = p[21]; e->x.s[n] = p[22]; e->energy.s[n] = 0.0;
    w->v_rest.s[n] = p[1]; w->d_0.s[n] = p[2]; w->d_1.s[n] = p[3];
    w->g_0.s[n] = p[4]; w->g_1.s[n] = p[5]; w->k.s[n] = p[8];
    w->z_on.s[n] = p[6] * log2_e; w->z_inv.s[n] = p[7] * log2_e; w->tau_inv.s[n] = 1.0 / p[9];
    w->neuron[n] = r; w->phase[n] = INTEGRATE; w->piece[n] = q->first[2 * r];
    w->j[n] = w->timed[n] = w->events[n] = w->trials[n] = w->steps[n] = 0;
    w->h[n] = (in[4] - in[0]) / in[3]; w->s[n] = 0.0; w->t_last[n] = -1.0;
    w->i_piece.s[n] = in[1]; w->slope.s[n] = in[2];
    q->busy++;
    enter_phase(n, INTEGRATE, p, w);
    settle(n, e, BEGIN, w, q);
}

static int attend(int n, const state *y, state *e, lanes *w, tables *q)
{
    int64_t kind = w->kind[n];
    double length = w->length.s[n], sign = w->sign.s[n], offset = w->offset.s[n];
    double g = sign * e->m.s[n] - offset, slope = sign * e->md.s[n];
    if (kind == IDLE) return GOES_ON;
    if (kind == TRIAL) {
        double step = slope > 0.0 ? -g / slope : INFINITY, full = w->full[n];
        int stands = w->trials[n] > 12;
        if (stands || fabs(step) <= 1e-7 * full) {
            if (!stands) {
                length = fmin(length + step, full);
                e->energy.s[n] += step * e->v.s[n] * e->i_0.s[n];
                e->v.s[n] += step * e->kv.s[n];
                e->x.s[n] += step * e->kx.s[n];
            }
            w->s[n] = fmin(w->s[n] + length, w->h[n]);
            return CROSSED;
        }
        if (++w->trials[n] == 12 || !(slope > 0.0)) {
            w->trials[n] = 13;
            length = w->estimate[n];
        } else {
            if (g < 0.0) w->short_[n] = fmax(w->short_[n], length);
            double next = length + step;
            length = fmin(next > w->short_[n] ? next : 0.5 * (w->short_[n] + length), full);
        }
    } else {
        double q_3 = length * (1.0 / 3.0) * sign, g_0 = sign * y->m.s[n] - offset;
        double b_1 = g_0 + q_3 * y->md.s[n], b_2 = g - q_3 * e->md.s[n], root = -1.0;
        double count = w->count.s[n], done = count - 1.0;
        if (g >= 0.0 || b_1 >= 0.0 || b_2 >= 0.0) root = root_of(g_0, b_1, b_2, g);
        if (root < 0.0) {
            if (count < w->end.s[n]) return GOES_ON;
            int happened = NOTHING;
            w->steps[n] += (int64_t)count - (kind == GRID ? w->j[n] : 0);
            if (kind == GRID || !w->timed[n]) w->events[n] = 0;
            if (kind == PART && w->timed[n]) {
                w->s[n] = fmin(w->s[n] + count * length, w->h[n]);
                happened = TIMER;
            } else {
                w->j[n] = kind == GRID ? (int64_t)count : w->j[n] + 1;
                w->s[n] = 0.0;
            }
            if (!isfinite(e->v.s[n])) { end_lane(n, e, 2, 0.0, w, q); return GOES_ON; }
            return happened;
        }
        w->steps[n] += (int64_t)count - (kind == GRID ? w->j[n] : 0);
        if (kind == GRID) { w->j[n] = (int64_t)done; w->s[n] = 0.0; w->events[n] = 0; }
        else w->s[n] += done * length;
        w->base.s[n] += done * length;
        w->kind[n] = TRIAL; w->trials[n] = 0; w->full[n] = length; w->short_[n] = 0.0;
        w->estimate[n] = length *= root;
    }
    e->v.s[n] = y->v.s[n]; e->x.s[n] = y->x.s[n]; e->energy.s[n] = y->energy.s[n];
    e->m.s[n] = y->m.s[n]; e->md.s[n] = y->md.s[n]; e->kv.s[n] = y->kv.s[n];
    e->kx.s[n] = y->kx.s[n]; e->i_0.s[n] = y->i_0.s[n];
    w->length.s[n] = length; w->count.s[n] = 0.0; w->end.s[n] = 1.0;
    return GOES_ON;
}

/* Integrate all neurons; return the number of spikes. */
int64_t integrate(const double *par, const double *pieces, const int64_t *first, int64_t neurons,
                  double *ends, double *spikes)
{
    static __thread lanes w __attribute__((aligned(64)));
    tables q = {par, pieces, first, ends, spikes, 0, 0};
    int64_t next = 0;
    memset(&w, 0, sizeof w);
#ifndef LONG
    for (int n = 0; n < 16; n++) ((double *)table)[n] = exp2(n / 16.0);
#endif
    for (int n = 0; n < LANES; n++) {
        w.offset.s[n] = w.d_0.s[n] = w.k.s[n] = 1.0;
        w.end.s[n] = INFINITY;
        w.row.s[n] = -INFINITY;
    }
    for (int parity = 0;; parity ^= 1) {
        state *y = &w.y[parity], *e = &w.y[parity ^ 1];
        if (q.busy < LANES) {
            for (int n = 0; n < LANES; n++)
                if (w.kind[n] == IDLE && next < neurons) load(n, next++, y, &w, &q);
            if (q.busy == 0 && next == neurons) return q.listed;
        }
        for (uint64_t flags = step(&w, y, e); flags; flags &= flags - 1) {
            int n = __builtin_ctzll(flags), happened = attend(n, y, e, &w, &q);
            if (happened != GOES_ON) settle(n, e, happened, &w, &q);
        }
    }
}
