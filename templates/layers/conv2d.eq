# Convolution of images
input x[n,c,u,v]
param w[o,c,k,l], b[o]?
size L = K, S = 1, P = 0, D = 1
size I = (U + 2*P - D*(K-1) - 1)//S + 1
size J = (V + 2*P - D*(L-1) - 1)//S + 1
z[n,o,i,j] = sum(c, k, l, w[o,c,k,l]*x[n,c,S*(i-1)+D*(k-1)+1-P,S*(j-1)+D*(l-1)+1-P]) + b[o]
output a[n,o,i,j] = act(z[n,o,i,j])
