# Linear attention, causal: the cost grows with T, not with its square (Katharopoulos et al., 2020)
input  x[n,t,c]
param  W_q[d,c], W_k[d,c], W_v[e,c]
q[n,t,d] = exp(sum(c, W_q[d,c]*x[n,t,c]))
k[n,t,d] = exp(sum(c, W_k[d,c]*x[n,t,c]))
v[n,t,e] = sum(c, W_v[e,c]*x[n,t,c])
S_kv[n,t,d,e] = S_kv[n,t-1,d,e] + k[n,t,d]*v[n,t,e]
S_k[n,t,d]    = S_k[n,t-1,d] + k[n,t,d]
u[n,t,e] = sum(d, q[n,t,d]*S_kv[n,t,d,e])
m[n,t]   = sum(d, q[n,t,d]*S_k[n,t,d])
output y[n,t,e] = u[n,t,e]/m[n,t]
