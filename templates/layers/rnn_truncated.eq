# A recurrent layer whose gradient stops at the border of every piece of B steps
input x[n,t,j]
param w[i,j], u[i,k], b[i]?
index k: I
size B
e[n,t,i] = [(t-1) % B >= 1]*a[n,t-1,i] + [(t-1) % B <= 0]*stop(a[n,t-1,i])
z[n,t,i] = sum(j, w[i,j]*x[n,t,j]) + sum(k, u[i,k]*e[n,t,k]) + b[i]
output a[n,t,i] = act(z[n,t,i])
