/* Functions that generated C code takes from here when it uses them. */

/* The sum of a[k] * b[k], in partial sums that do not wait for each other. */
static bp_real bp_dot(const bp_real *restrict a, const bp_real *restrict b, size_t n)
{
    const size_t whole = n - n % 8;
    bp_real s[8] = {0}, rest = 0;

    for (size_t k = 0; k < whole; k += 8)
        for (size_t j = 0; j < 8; j++)
            s[j] += a[k + j] * b[k + j];
    for (size_t k = whole; k < n; k++)
        rest += a[k] * b[k];
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7])) + rest;
}

/* row = factor * a, or with more, that added to what the row holds. */
static void bp_add_row(bp_real *restrict row, int more, bp_real factor,
                       const bp_real *restrict a, size_t n)
{
    if (more)
        for (size_t k = 0; k < n; k++)
            row[k] += factor * a[k];
    else
        for (size_t k = 0; k < n; k++)
            row[k] = factor * a[k];
}

/* out = the rows of a matrix, each times its element of v, added up: the transposed product. */
static void bp_transposed(bp_real *restrict out, const bp_real *restrict matrix,
                          const bp_real *restrict v, size_t rows, size_t columns)
{
    const size_t whole = rows - rows % 4;

    for (size_t j = 0; j < columns; j++)
        out[j] = 0;
    for (size_t i = 0; i < whole; i += 4) {
        const bp_real *row = matrix + i * columns;

        for (size_t j = 0; j < columns; j++)
            out[j] += (v[i] * row[j] + v[i + 1] * row[columns + j])
                      + (v[i + 2] * row[2 * columns + j] + v[i + 3] * row[3 * columns + j]);
    }
    for (size_t i = whole; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            out[j] += v[i] * matrix[i * columns + j];
}

/* out = the softmax of z. */
static void bp_softmax(bp_real *restrict out, const bp_real *restrict z, size_t n)
{
    bp_real top = z[0], sum = 0;

    for (size_t i = 1; i < n; i++)
        top = z[i] > top ? z[i] : top;
    for (size_t i = 0; i < n; i++) {
        out[i] = BP_M(exp)(z[i] - top);
        sum += out[i];
    }
    for (size_t i = 0; i < n; i++)
        out[i] /= sum;
}

/* out = the logarithm of the softmax of z. */
static void bp_log_softmax(bp_real *restrict out, const bp_real *restrict z, size_t n)
{
    bp_real top = z[0], sum = 0;

    for (size_t i = 1; i < n; i++)
        top = z[i] > top ? z[i] : top;
    for (size_t i = 0; i < n; i++) {
        out[i] = z[i] - top;
        sum += BP_M(exp)(out[i]);
    }
    sum = BP_M(log)(sum);
    for (size_t i = 0; i < n; i++)
        out[i] -= sum;
}

/* 1 / (1 + exp(-z)); it is 0 where exp(-z) overflows. */
static bp_real bp_sigmoid(bp_real z)
{
    return 1 / (1 + BP_M(exp)(-z));
}

/* log(1 + exp(z)) */
static bp_real bp_softplus(bp_real z)
{
    return (z > 0 ? z : 0) + BP_M(log1p)(BP_M(exp)(-BP_M(fabs)(z)));
}

/* x log(y), and 0 where x is 0. */
static bp_real bp_xlogy(bp_real x, bp_real y)
{
    return x == 0 ? 0 : x * BP_M(log)(y);
}

/* The sign of z: -1, 0 or 1. */
static bp_real bp_sign(bp_real z)
{
    return z > 0 ? 1 : z < 0 ? -1 : z;
}

/* The larger of u and v; not a number where either is none. */
static bp_real bp_maximum(bp_real u, bp_real v)
{
    return u > v || isnan(u) ? u : v;
}

/* The smaller of u and v; not a number where either is none. */
static bp_real bp_minimum(bp_real u, bp_real v)
{
    return u < v || isnan(u) ? u : v;
}

/* z z */
static bp_real bp_square(bp_real z)
{
    return z * z;
}
