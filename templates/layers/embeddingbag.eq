# The mean of the vectors of all tokens
data x[n,t]
param E[v,d]
output a[n,d] = mean(t, E[x[n,t],d])
