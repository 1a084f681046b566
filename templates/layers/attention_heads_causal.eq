# Attention of a sequence to itself, in several heads; no step sees a later one
input x[n,t,c]
param W_q[h,d,c], W_k[h,d,c], W_v[h,d,c], W_o[e,h,d], b_q[h,d]?, b_k[h,d]?, b_v[h,d]?, b_o[e]?
index s: T
size D = C//H, E = C
q[n,h,t,d] = sum(c, W_q[h,d,c]*x[n,t,c]) + b_q[h,d]
k[n,h,t,d] = sum(c, W_k[h,d,c]*x[n,t,c]) + b_k[h,d]
u[n,h,t,s] = sum(d, q[n,h,t,d]*k[n,h,s,d])/sqrt(D)
p[n,h,t,s] = softmax(s, u[n,h,t,s], [s <= t])
v[n,h,t,d] = sum(c, W_v[h,d,c]*x[n,t,c]) + b_v[h,d]
o[n,h,t,d] = sum(s, p[n,h,t,s]*v[n,h,s,d])
output a[n,t,e] = sum(h, d, W_o[e,h,d]*o[n,h,t,d]) + b_o[e]
