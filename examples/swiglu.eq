# SwiGLU: a gated pair of linear maps (Shazeer, 2020)
input  x[*,c]
param  W[h,c], V[h,c], U[d,h]
index  d: C
g[*,h] = sum(c, W[h,c]*x[*,c])
v[*,h] = sum(c, V[h,c]*x[*,c])
s[*,h] = silu(g[*,h])
output y[*,d] = sum(h, U[d,h]*s[*,h]*v[*,h])
