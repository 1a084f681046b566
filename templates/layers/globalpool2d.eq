# The mean over all positions of an image
input x[n,c,u,v]
output a[n,c] = mean(u, v, x[n,c,u,v])
