# Scaled dot-product attention of a sequence with itself
input x[n,t,d]
index s: T
u[n,t,s] = sum(d, x[n,t,d]*x[n,s,d])/sqrt(D)
p[n,t,s] = softmax(s, u[n,t,s])
output a[n,t,d] = sum(s, p[n,t,s]*x[n,s,d])
