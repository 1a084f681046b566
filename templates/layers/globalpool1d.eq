# The mean over all positions
input x[n,c,t]
output a[n,c] = mean(t, x[n,c,t])
