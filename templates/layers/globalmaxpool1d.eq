# The largest value over all positions
input x[n,c,t]
output a[n,c] = max(t, x[n,c,t])
