# The largest value over all positions of an image
input x[n,c,u,v]
output a[n,c] = max(u, v, x[n,c,u,v])
