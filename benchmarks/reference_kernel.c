/* The reference kernel of spicealif/reference/kernel.py in C, for the comparison of speed.
 *
 * Same algorithm, same arguments, same layout of `par` and of the outputs. It cannot be paused:
 * the buffers must be large enough. Returns 0, or 1 where the neuron spikes without end. */
#include <math.h>
#include <stdint.h>

#define SIXTH (1.0 / 6.0)

enum { INTEGRATE, DELAY_ON, DISCHARGE, DELAY_OFF, HELD };

typedef struct {
    double v_rest, d_0, d_1, g_0, g_1, c_inv, g_switch;     /* circuit */
    double u_on, vt_inv, k, tau, u_max, log_k;          /* memristor */
} model;

typedef struct {
    double t, i, slope;
    const double *sines;
    int64_t n_sines;
} piece;

static __attribute__((noinline)) double x_rate_apart(double u, double x, const model *q)
{
    if (q->tau == INFINITY) return 0.0;
    double s_on = 1.0 / (1.0 + exp(u)), p_off = 1.0 / (1.0 + exp(q->log_k - u));
    return (s_on * (1.0 - x) - p_off * x) / q->tau;
}

static inline __attribute__((always_inline)) void rates(
    double v, double x, double i, const model *q, double *m, double *kv, double *kx)
{
    double mm = (v - q->v_rest) / (q->d_0 + q->d_1 * x);
    *m = mm;
    *kv = q->c_inv * ((i - q->g_switch * v) - mm * (q->g_0 + q->g_1 * x));
    double u = q->u_on - mm * q->vt_inv;
    if (fabs(u) < q->u_max) {
        double a = exp(u), b = a + q->k, c = 1.0 + a;
        *kx = (b * (1.0 - x) - a * c * x) / (q->tau * (c * b));
    } else {
        *kx = x_rate_apart(u, x, q);
    }
}

static inline __attribute__((always_inline)) void rk4(
    double v, double x, double kv_1, double kx_1, double i_0, double i_m, double i_1, double h,
    const model *w, double *v_e, double *x_e, double *energy)
{
    double m, kv_2, kx_2, kv_3, kx_3, kv_4, kx_4, q = 0.5 * h, s = h * SIXTH;
    double v_2 = v + q * kv_1;
    rates(v_2, x + q * kx_1, i_m, w, &m, &kv_2, &kx_2);
    double v_3 = v + q * kv_2;
    rates(v_3, x + q * kx_2, i_m, w, &m, &kv_3, &kx_3);
    double v_4 = v + h * kv_3;
    rates(v_4, x + h * kx_3, i_1, w, &m, &kv_4, &kx_4);
    *v_e = v + s * (kv_1 + 2.0 * (kv_2 + kv_3) + kv_4);
    *x_e = x + s * (kx_1 + 2.0 * (kx_2 + kx_3) + kx_4);
    *energy = s * (v * i_0 + 2.0 * i_m * (v_2 + v_3) + v_4 * i_1);
}

static __attribute__((noinline)) double sine_sum(double t, const double *sines, int64_t n)
{
    double total = 0.0;
    for (; n > 0; n--, sines += 4)
        total += sines[0] * sin(sines[1] * fmax(t - sines[3], 0.0) + sines[2]);
    return total;
}

static inline __attribute__((always_inline)) double current(double p, const piece *w)
{
    double i = w->i + w->slope * p;
    return w->n_sines > 0 ? i + sine_sum(w->t + p, w->sines, w->n_sines) : i;
}

static __attribute__((noinline)) double first_root(double g_0, double b_1, double b_2, double g_1)
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
        double e = ends[n];
        if (e <= lo || e > 1.0) continue;
        double p = e == 1.0 ? g_1 : g_0 + e * (c_1 + e * (c_2 + e * c_3));
        if (p >= 0.0) hi = e; else lo = e;
    }
    if (hi < 0.0) return -1.0;
    double s = 0.5 * (lo + hi);
    for (int n = 0; n < 200; n++) {
        double p = g_0 + s * (c_1 + s * (c_2 + s * c_3));
        if (p < 0.0) lo = s; else hi = s;
        double slope = c_1 + s * (2.0 * c_2 + s * 3.0 * c_3);
        double next = slope > 0.0 ? s - p / slope : -1.0;
        if (!(lo < next && next < hi)) next = 0.5 * (lo + hi);
        if (fabs(next - s) <= 1e-16 || p == 0.0) break;
        s = next;
    }
    return s;
}

static __attribute__((noinline)) double shorten(
    double length, double h, double v, double x, double kv_0, double kx_0, double i_0, double p,
    double sign, double offset, const piece *in, const model *q,
    double *v_e, double *x_e, double *energy)
{
    double estimate = length, lo = 0.0;
    for (int n = 0; n < 12; n++) {
        double i_1 = current(p + length, in), i_m = current(p + 0.5 * length, in), m, kv, kx;
        rk4(v, x, kv_0, kx_0, i_0, i_m, i_1, length, q, v_e, x_e, energy);
        rates(*v_e, *x_e, i_1, q, &m, &kv, &kx);
        double g = sign * m - offset;
        double slope = sign * (kv - m * q->d_1 * kx) / (q->d_0 + q->d_1 * *x_e);
        double step = slope > 0.0 ? -g / slope : INFINITY;
        if (fabs(step) <= 1e-9 * h) {
            *energy += step * *v_e * i_1;
            *v_e += step * kv;
            *x_e += step * kx;
            return fmin(length + step, h);
        }
        if (n == 11 || !(slope > 0.0)) break;
        if (g < 0.0) lo = fmax(lo, length);
        double next = length + step;
        if (next <= lo) next = 0.5 * (lo + length);
        length = fmin(next, h);
    }
    rk4(v, x, kv_0, kx_0, i_0, current(p + 0.5 * estimate, in), current(p + estimate, in),
        estimate, q, v_e, x_e, energy);
    return estimate;
}

int advance(
    const double *par, const double *t_piece, const double *i_piece, const double *slope_piece,
    const int64_t *n_piece, int64_t n_pieces, const double *sines, int64_t n_sines,
    double v, double x, int64_t stride, double *out_t, double *out_v, double *out_m,
    double *out_x, double *out_e, uint8_t *out_level, double *out_spike, int64_t *counts)
{
    const double c_inv = par[0], v_th = par[12], v_low = par[13], v_reset = par[14];
    const double t_ref = par[15], g_ds = par[16], delay_on = par[17], delay_off = par[18];
    const double h_discharge = par[19];
    const int schmitt = par[20] != 0.0;
    model q = {par[1], par[2], par[3], par[4], par[5], c_inv, 0.0,
               par[6], par[7], par[8], par[9], par[10], par[11]};
    const double d_0 = q.d_0, d_1 = q.d_1, t_stop = t_piece[n_pieces];
    double energy = 0.0, t_event = 0.0, t_last = -1.0, t_row = 0.0;
    int64_t row = 0, spike = 0, wait = stride;
    int phase = INTEGRATE;
#define ROW(T, M, LEVEL)                                                                          \
    do {                                                                                          \
        out_t[row] = t_row = (T); out_v[row] = v; out_m[row] = (M); out_x[row] = x;               \
        out_e[row] = energy; out_level[row++] = (LEVEL);                                          \
    } while (0)
    ROW(0.0, (v - q.v_rest) / (d_0 + d_1 * x), 0);
    for (int64_t k = 0; k < n_pieces; k++) {
        const piece in = {t_piece[k], i_piece[k], slope_piece[k], sines, n_sines};
        const int64_t n = n_piece[k];
        const double h = (t_piece[k + 1] - t_piece[k]) / n;
        double s = 0.0, i_0 = 0.0, m = 0.0, kv = 0.0, kx = 0.0, md = 0.0;
        double sign = 0.0, offset = 1.0;
        int64_t j = 0;
        int events = 0, fresh = 1;
        while (j < n) {
            const double p = j * h;
            if (fresh) {
                sign = phase == INTEGRATE ? 1.0 : phase == DISCHARGE ? -1.0 : 0.0;
                offset = phase == INTEGRATE ? v_th : phase == DISCHARGE ? -v_low : 1.0;
                q.c_inv = phase == HELD ? 0.0 : c_inv;
                q.g_switch = phase == DISCHARGE || phase == DELAY_OFF ? g_ds : 0.0;
                i_0 = current(p + s, &in);
                rates(v, x, i_0, &q, &m, &kv, &kx);
                md = (kv - m * d_1 * kx) / (d_0 + d_1 * x);
                fresh = 0;
            }
            const double g = sign * m - offset;
            int crossed = g >= 0.0, timed = 0;
            double length = 0.0;
            if (!crossed) {
                int last = 1;
                length = h - s;
                if (phase != INTEGRATE) {
                    if (phase != DISCHARGE) {
                        double due = fmax(t_event - (in.t + (p + s)), 0.0);
                        timed = due <= length;
                        length = fmin(due, length);
                    }
                    if ((phase == DISCHARGE || phase == DELAY_OFF) && length > h_discharge) {
                        length /= ceil(length / h_discharge);
                        timed = last = 0;
                    }
                }
                double v_1, x_1, e_1, m_1, kv_1, kx_1;
                const double i_1 = current(last && !timed ? p + h : p + s + length, &in);
                const double i_m = current(p + (s + 0.5 * length), &in);
                rk4(v, x, kv, kx, i_0, i_m, i_1, length, &q, &v_1, &x_1, &e_1);
                rates(v_1, x_1, i_1, &q, &m_1, &kv_1, &kx_1);
                const double md_1 = (kv_1 - m_1 * d_1 * kx_1) / (d_0 + d_1 * x_1);
                const double g_end = sign * m_1 - offset;
                const double third = 2.0 * SIXTH * length * sign;
                const double b_1 = g + third * md, b_2 = g_end - third * md_1;
                if (g_end >= 0.0 || b_1 >= 0.0 || b_2 >= 0.0) {
                    double root = first_root(g, b_1, b_2, g_end);
                    if (root >= 0.0) {
                        crossed = 1;
                        length = shorten(root * length, length, v, x, kv, kx, i_0, p + s, sign,
                                         offset, &in, &q, &v_1, &x_1, &e_1);
                    }
                }
                v = v_1;
                x = x_1;
                energy += e_1;
                if (!crossed && !timed) {
                    i_0 = i_1; m = m_1; kv = kv_1; kx = kx_1; md = md_1;
                    if (!last) { s += length; continue; }
                    j++;
                    s = 0.0;
                    events = 0;
                    if (--wait == 0 || j == n) {
                        double t = j == n ? t_piece[k + 1] : in.t + j * h;
                        if (t > t_row) ROW(t, m, phase != INTEGRATE && phase != DELAY_ON);
                        wait = stride;
                    }
                    continue;
                }
            }
            s = fmin(s + length, h);
            const double t = timed && !crossed ? t_event : in.t + (p + s);
            int fired = phase == DELAY_ON, level = phase >= DISCHARGE, reset = 0;
            m = (v - q.v_rest) / (d_0 + d_1 * x);
            if (phase == INTEGRATE) {
                fired = !schmitt || delay_on == 0.0;
                if (schmitt) {
                    phase = fired ? DISCHARGE : DELAY_ON;
                    t_event = t + delay_on;
                } else {
                    level = reset = 1;
                    phase = t_ref > 0.0 ? HELD : INTEGRATE;
                    t_event = t + t_ref;
                }
            } else if (phase == DELAY_ON) {
                phase = DISCHARGE;
            } else if (phase == DISCHARGE && delay_off > 0.0) {
                phase = DELAY_OFF;
                t_event = t + delay_off;
            } else {
                phase = INTEGRATE;
            }
            if (t > t_row) ROW(t, m, level);
            else if (level) out_level[row - 1] = 1;
            if (reset) v = v_reset;
            const double t_after = nextafter(t_row, INFINITY);
            if (phase != DELAY_ON && phase != DELAY_OFF && t_after <= t_stop)
                ROW(t_after, (v - q.v_rest) / (d_0 + d_1 * x), phase == DISCHARGE || phase == HELD);
            if (fired) out_spike[spike++] = t;
            if ((fired && t <= t_last) || ++events > 10000) return 1;
            if (fired) t_last = t;
            fresh = 1;
        }
    }
    counts[0] = row;
    counts[1] = spike;
    return 0;
}
