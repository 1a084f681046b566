# The last step of a sequence
input x[n,t,c]
output a[n,c] = x[n,T,c]
