# Attention of a sequence to itself, in one head
input x[n,t,c]
param W_q[d,c], W_k[d,c], W_v[d,c], W_o[e,d], b_q[d]?, b_k[d]?, b_v[d]?, b_o[e]?
index s: T
size D = C, E = C
q[n,t,d] = sum(c, W_q[d,c]*x[n,t,c]) + b_q[d]
k[n,t,d] = sum(c, W_k[d,c]*x[n,t,c]) + b_k[d]
u[n,t,s] = sum(d, q[n,t,d]*k[n,s,d])/sqrt(D)
p[n,t,s] = softmax(s, u[n,t,s])
v[n,t,d] = sum(c, W_v[d,c]*x[n,t,c]) + b_v[d]
o[n,t,d] = sum(s, p[n,t,s]*v[n,s,d])
output a[n,t,e] = sum(d, W_o[e,d]*o[n,t,d]) + b_o[e]
