# All axes of a sample as one
input x[n,c,u,v]
output a[n,(c,u,v)] = x[n,c,u,v]
