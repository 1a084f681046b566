"""Networks with equations written by hand, and the same in PyTorch."""

import pytest

from bpderive.index import size_symbol

torch = pytest.importorskip("torch")
CASES = {}


def case(text, given, output, reference, numbers=(), mean=False, **sizes):
    CASES[reference.__name__] = (text, given, output, reference, numbers, mean, sizes)
    return reference


def conv(x, w1, b1, y):
    z = torch.nn.functional.conv2d(x, w1, b1, stride=2, padding=1, dilation=1)
    return torch.tanh(z), ((torch.tanh(z) - y) ** 2).sum() / 2


case(
    """
    z1[n,o,i,j] = sum(c, k, l, w1[o,c,k,l]*x[n,c,2*(i-1)+k-1,2*(j-1)+l-1]) + b1[o]
    a1[n,o,i,j] = tanh(z1[n,o,i,j])
    loss S = sum(n, o, i, j, (a1[n,o,i,j] - y[n,o,i,j])**2)/2
    delta1[n,o,i,j] = (a1[n,o,i,j] - y[n,o,i,j])*tanh_slope(z1[n,o,i,j])
    dw1[o,c,k,l] = sum(n, i, j, delta1[n,o,i,j]*x[n,c,2*(i-1)+k-1,2*(j-1)+l-1])
    db1[o] = sum(n, i, j, delta1[n,o,i,j])
    dx[n,c,u,v] = sum(o, k, l, w1[o,c,k,l]*delta1[n,o,(u+1-k)/2+1,(v+1-l)/2+1])
    gradient w1 dw1
    gradient b1 db1
    gradient x dx
    """,
    ("input x[n,c,u,v]", "parameter w1[o,c,k,l]", "parameter b1[o]", "target y[n,o,i,j]"),
    "a1",
    conv,
    C=2,
    O=3,
    K=3,
    L=4,
    U=8,
    V=7,
    I=4,
    J=3,
)


def conv1d_dilated(x, w1, y):
    z = torch.nn.functional.conv1d(x, w1, stride=1, padding=2, dilation=3)
    return z, ((z - y) ** 2).sum() / len(x)


case(
    """
    z1[n,o,i] = sum(c, k, w1[o,c,k]*x[n,c,i+3*(k-1)-2])
    loss S = sum(n, o, i, (z1[n,o,i] - y[n,o,i])**2)
    delta1[n,o,i] = 2*(z1[n,o,i] - y[n,o,i])
    dw1[o,c,k] = sum(n, i, delta1[n,o,i]*x[n,c,i+3*(k-1)-2])
    dx[n,c,t] = sum(o, k, w1[o,c,k]*delta1[n,o,t+2-3*(k-1)])
    gradient w1 dw1
    gradient x dx
    """,
    ("input x[n,c,t]", "parameter w1[o,c,k]", "target y[n,o,i]"),
    "z1",
    conv1d_dilated,
    mean=True,
    C=2,
    O=3,
    K=3,
    T=9,
    I=7,
)


def conv_groups(x, w1, y):
    z = torch.nn.functional.conv1d(x, w1.reshape(6, 2, 3), groups=2)
    return z, ((z - y) ** 2).sum()


case(
    """
    z1[n,(g,o),i] = sum(c, k, w1[g,o,c,k]*x[n,(g,c),i+k-1])
    loss S = sum(n, g, o, i, (z1[n,(g,o),i] - y[n,(g,o),i])**2)
    delta1[n,(g,o),i] = 2*(z1[n,(g,o),i] - y[n,(g,o),i])
    dw1[g,o,c,k] = sum(n, i, delta1[n,(g,o),i]*x[n,(g,c),i+k-1])
    dx[n,(g,c),t] = sum(o, k, w1[g,o,c,k]*delta1[n,(g,o),t+1-k])
    gradient w1 dw1
    gradient x dx
    """,
    ("input x[n,gc,t]", "parameter w1[g,o,c,k]", "target y[n,go,i]"),
    "z1",
    conv_groups,
    G=2,
    C=2,
    O=3,
    K=3,
    T=8,
    I=6,
)


def attention(x, W_q, W_k, W_v, W_o, y):
    q, k, v = x @ W_q.T, x @ W_k.T, x @ W_v.T
    u = q @ k.transpose(1, 2) / 3**0.5
    u = u.masked_fill(torch.ones_like(u).triu(1).bool(), -torch.inf)
    a = torch.softmax(u, -1) @ v @ W_o.T
    return a, ((a - y) ** 2).sum()


case(
    """
    q[n,t,d] = sum(c, W_q[d,c]*x[n,t,c])
    k[n,t,d] = sum(c, W_k[d,c]*x[n,t,c])
    v[n,t,d] = sum(c, W_v[d,c]*x[n,t,c])
    u[n,t,s] = sum(d, q[n,t,d]*k[n,s,d])/sqrt(D)
    p[n,t,s] = exp(u[n,t,s])*at_most(s,t)/sum(r, exp(u[n,t,r])*at_most(r,t))
    o[n,t,d] = sum(s, p[n,t,s]*v[n,s,d])
    a[n,t,e] = sum(d, W_o[e,d]*o[n,t,d])
    loss S = sum(n, t, e, (a[n,t,e] - y[n,t,e])**2)
    delta_a[n,t,e] = 2*(a[n,t,e] - y[n,t,e])
    delta_o[n,t,d] = sum(e, delta_a[n,t,e]*W_o[e,d])
    delta_p[n,t,s] = sum(d, delta_o[n,t,d]*v[n,s,d])
    delta_u[n,t,s] = p[n,t,s]*(delta_p[n,t,s] - sum(r, p[n,t,r]*delta_p[n,t,r]))
    delta_v[n,s,d] = sum(t, delta_o[n,t,d]*p[n,t,s])
    delta_q[n,t,d] = sum(s, delta_u[n,t,s]*k[n,s,d])/sqrt(D)
    delta_k[n,s,d] = sum(t, delta_u[n,t,s]*q[n,t,d])/sqrt(D)
    dW_q[d,c] = sum(n, t, delta_q[n,t,d]*x[n,t,c])
    dW_k[d,c] = sum(n, t, delta_k[n,t,d]*x[n,t,c])
    dW_v[d,c] = sum(n, t, delta_v[n,t,d]*x[n,t,c])
    dW_o[e,d] = sum(n, t, delta_a[n,t,e]*o[n,t,d])
    dx_q[n,t,c] = sum(d, delta_q[n,t,d]*W_q[d,c])
    dx_k[n,t,c] = sum(d, delta_k[n,t,d]*W_k[d,c])
    dx[n,t,c] = dx_q[n,t,c] + dx_k[n,t,c] + sum(d, delta_v[n,t,d]*W_v[d,c])
    gradient W_q dW_q
    gradient W_k dW_k
    gradient W_v dW_v
    gradient W_o dW_o
    gradient x dx
    """,
    (
        "input x[n,t,c]",
        "parameter W_q[d,c]",
        "parameter W_k[d,c]",
        "parameter W_v[d,c]",
        "parameter W_o[e,d]",
        "target y[n,t,e]",
    ),
    "a",
    attention,
    D=3,
    C=5,
    E=2,
    S=size_symbol("T"),
    R=size_symbol("T"),
)


def heads(x, W_q, W_k, y):
    q, k = (torch.einsum("hdc,ntc->nhtd", w, x) for w in (W_q, W_k))
    a = torch.softmax(torch.einsum("nhtd,nhsd->nhts", q, k), -1)
    return a, ((a - y) ** 2).sum()


case(
    """
    q[n,h,t,d] = sum(c, W_q[h,d,c]*x[n,t,c])
    k[n,h,t,d] = sum(c, W_k[h,d,c]*x[n,t,c])
    u[n,h,t,s] = sum(d, q[n,h,t,d]*k[n,h,s,d])
    p[n,h,t,s] = exp(u[n,h,t,s])/sum(r, exp(u[n,h,t,r]))
    loss S = sum(n, h, t, s, (p[n,h,t,s] - y[n,h,t,s])**2)
    delta_p[n,h,t,s] = 2*(p[n,h,t,s] - y[n,h,t,s])
    delta_u[n,h,t,s] = p[n,h,t,s]*(delta_p[n,h,t,s] - sum(r, p[n,h,t,r]*delta_p[n,h,t,r]))
    delta_q[n,h,t,d] = sum(s, delta_u[n,h,t,s]*k[n,h,s,d])
    delta_k[n,h,s,d] = sum(t, delta_u[n,h,t,s]*q[n,h,t,d])
    dW_q[h,d,c] = sum(n, t, delta_q[n,h,t,d]*x[n,t,c])
    dW_k[h,d,c] = sum(n, t, delta_k[n,h,t,d]*x[n,t,c])
    dx[n,t,c] = sum(h, d, delta_q[n,h,t,d]*W_q[h,d,c]) + sum(h, d, delta_k[n,h,t,d]*W_k[h,d,c])
    gradient W_q dW_q
    gradient W_k dW_k
    gradient x dx
    """,
    ("input x[n,t,c]", "parameter W_q[h,d,c]", "parameter W_k[h,d,c]", "target y[n,h,t,s]"),
    "p",
    heads,
    D=3,
    C=5,
    H=2,
    T=4,
    S=4,
    R=4,
)


def batchnorm(x, gamma, beta, y):
    a = torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True, eps=0.01)
    return a, ((a - y) ** 2).sum()


case(
    """
    mu[c] = sum(n, t, x[n,c,t])/(N*T)
    var[c] = sum(n, t, (x[n,c,t] - mu[c])**2)/(N*T)
    sigma[c] = sqrt(var[c] + eps)
    xhat[n,c,t] = (x[n,c,t] - mu[c])/sigma[c]
    a[n,c,t] = gamma[c]*xhat[n,c,t] + beta[c]
    loss S = sum(n, c, t, (a[n,c,t] - y[n,c,t])**2)
    delta_a[n,c,t] = 2*(a[n,c,t] - y[n,c,t])
    dgamma[c] = sum(n, t, delta_a[n,c,t]*xhat[n,c,t])
    dbeta[c] = sum(n, t, delta_a[n,c,t])
    mean_a[c] = sum(m, s, delta_a[m,c,s])/(N*T)
    e[n,c,t] = delta_a[n,c,t] - xhat[n,c,t]*sum(m, s, delta_a[m,c,s]*xhat[m,c,s])/(N*T)
    dx[n,c,t] = gamma[c]/sigma[c]*(e[n,c,t] - mean_a[c])
    gradient gamma dgamma
    gradient beta dbeta
    gradient x dx
    """,
    ("input x[n,c,t]", "parameter gamma[c]", "parameter beta[c]", "target y[n,c,t]"),
    "a",
    batchnorm,
    numbers=(("eps", "0.01"),),
    M=size_symbol("N"),
    S=size_symbol("T"),
)


def maxpool(x, y):
    a = torch.nn.functional.max_pool1d(x, 3, stride=2)
    return a, ((a - y) ** 2).sum()


case(
    """
    s1[n,c,i,k] = first(k, x[n,c,2*(i-1)+k])
    a1[n,c,i] = sum(k, s1[n,c,i,k]*x[n,c,2*(i-1)+k])
    loss S = sum(n, c, i, (a1[n,c,i] - y[n,c,i])**2)
    delta1[n,c,i] = 2*(a1[n,c,i] - y[n,c,i])
    dx[n,c,t] = sum(k, s1[n,c,(t-k)/2+1,k]*delta1[n,c,(t-k)/2+1])
    gradient x dx
    """,
    ("input x[n,c,t]", "target y[n,c,i]"),
    "a1",
    maxpool,
    K=3,
    T=8,
    I=3,
    C=2,
)


def embedding(x, E1, w2, y):
    a = E1[x.long()].mean(1)
    p = torch.log_softmax(a @ w2.T, -1)
    return torch.exp(p), -(y * p).sum() / len(x)


case(
    """
    a1[n,d] = sum(t, E1[x[n,t],d])/T
    z2[n,i] = sum(d, w2[i,d]*a1[n,d])
    p[n,i] = exp(z2[n,i])/sum(j, exp(z2[n,j]))
    loss S = -sum(n, i, y[n,i]*log(p[n,i]))
    delta2[n,i] = p[n,i] - y[n,i]
    dw2[i,d] = sum(n, delta2[n,i]*a1[n,d])
    delta_a1[n,d] = sum(i, delta2[n,i]*w2[i,d])
    dE1[v,d] = sum(n, t, same(x[n,t],v)*delta_a1[n,d])/T
    gradient E1 dE1
    gradient w2 dw2
    """,
    ("tokens x[n,t]", "parameter E1[v,d]", "parameter w2[i,d]", "target y[n,i]"),
    "p",
    embedding,
    mean=True,
    V=7,
    D=3,
    I=4,
    J=4,
)


def bilinear(x, w1, y):
    a = torch.relu(torch.einsum("ijk,nj,nk->ni", w1, x, x))
    return a, ((a - y) ** 2).sum()


case(
    """
    z1[n,i] = sum(j, k, w1[i,j,k]*x[n,j]*x[n,k])
    a1[n,i] = relu(z1[n,i])
    loss S = sum(n, i, (a1[n,i] - y[n,i])**2)
    delta1[n,i] = 2*(a1[n,i] - y[n,i])*relu_slope(z1[n,i])
    dw1[i,j,k] = sum(n, delta1[n,i]*x[n,j]*x[n,k])
    dx[n,p] = sum(i, k, delta1[n,i]*w1[i,p,k]*x[n,k]) + sum(i, j, delta1[n,i]*w1[i,j,p]*x[n,j])
    gradient w1 dw1
    gradient x dx
    """,
    ("input x[n,j]", "parameter w1[i,j,k]", "target y[n,i]"),
    "a1",
    bilinear,
    I=3,
    J=4,
    K=4,
    P=4,
)


def squeeze(x, U, V, target):
    g = torch.sigmoid(torch.relu(x.mean(2) @ U.T) @ V.T)
    a = g[:, :, None] * x
    return a, ((a - target) ** 2).sum() / len(x)


case(
    """
    s[n,c] = sum(t, x[n,c,t])/T
    z_u[n,h] = sum(c, U[h,c]*s[n,c])
    u[n,h] = relu(z_u[n,h])
    z_g[n,c] = sum(h, V[c,h]*u[n,h])
    g[n,c] = sigmoid(z_g[n,c])
    y[n,c,t] = g[n,c]*x[n,c,t]
    loss S = sum(n, c, t, (y[n,c,t] - target[n,c,t])**2)
    delta_y[n,c,t] = 2*(y[n,c,t] - target[n,c,t])
    delta_g[n,c] = sum(t, delta_y[n,c,t]*x[n,c,t])
    delta_z_g[n,c] = delta_g[n,c]*sigmoid_slope(z_g[n,c])
    dV[c,h] = sum(n, delta_z_g[n,c]*u[n,h])
    delta_u[n,h] = sum(c, delta_z_g[n,c]*V[c,h])*relu_slope(z_u[n,h])
    dU[h,c] = sum(n, delta_u[n,h]*s[n,c])
    dx[n,c,t] = delta_y[n,c,t]*g[n,c] + sum(h, delta_u[n,h]*U[h,c])/T
    gradient U dU
    gradient V dV
    gradient x dx
    """,
    ("input x[n,c,t]", "parameter U[h,c]", "parameter V[c,h]", "target target[n,c,t]"),
    "y",
    squeeze,
    mean=True,
    H=size_symbol("H"),
)


def rnn(x, w1, u1, b1, w2, y):
    a = torch.zeros(len(x), 3, dtype=x.dtype)
    for t in range(x.shape[1]):
        a = torch.tanh(x[:, t] @ w1.T + a @ u1.T + b1)
    z = a @ w2.T
    return z, ((z - y) ** 2).sum()


case(
    """
    loop t up
    z1[n,t,i] = sum(j, w1[i,j]*x[n,t,j]) + sum(k, u1[i,k]*a1[n,t-1,k]) + b1[i]
    a1[n,t,i] = tanh(z1[n,t,i])
    end
    z2[n,o] = sum(i, w2[o,i]*a1[n,T,i])
    loss S = sum(n, o, (z2[n,o] - y[n,o])**2)
    delta2[n,o] = 2*(z2[n,o] - y[n,o])
    dw2[o,i] = sum(n, delta2[n,o]*a1[n,T,i])
    loop t down
    delta_a1[n,t,i] = same(t,T)*sum(o, delta2[n,o]*w2[o,i]) + sum(h, u1[h,i]*delta1[n,t+1,h])
    delta1[n,t,i] = delta_a1[n,t,i]*tanh_slope(z1[n,t,i])
    end
    dw1[i,j] = sum(n, t, delta1[n,t,i]*x[n,t,j])
    du1[i,k] = sum(n, t, delta1[n,t,i]*a1[n,t-1,k])
    db1[i] = sum(n, t, delta1[n,t,i])
    gradient w1 dw1
    gradient u1 du1
    gradient b1 db1
    gradient w2 dw2
    """,
    (
        "input x[n,t,j]",
        "parameter w1[i,j]",
        "parameter u1[i,k]",
        "parameter b1[i]",
        "parameter w2[o,i]",
        "target y[n,o]",
    ),
    "z2",
    rnn,
    I=3,
    K=3,
    H=3,
    J=2,
    O=2,
)


def lstm(x, y, **params):
    count = params["b_i"].shape[0]
    a = c = torch.zeros(len(x), count, dtype=x.dtype)
    steps = []
    for t in range(x.shape[1]):
        z = {
            k: x[:, t] @ params[f"W_{k}"].T + a @ params[f"U_{k}"].T + params[f"b_{k}"]
            for k in "ifgo"
        }
        c = torch.sigmoid(z["f"]) * c + torch.sigmoid(z["i"]) * torch.tanh(z["g"])
        a = torch.sigmoid(z["o"]) * torch.tanh(c)
        steps.append(a)
    a = torch.stack(steps, 1)
    return a, ((a - y) ** 2).sum()


def _lstm_text():
    gates = "".join(
        f"z_{k}[n,t,h] = sum(j, W_{k}[h,j]*x[n,t,j]) + sum(k, U_{k}[h,k]*a[n,t-1,k]) + b_{k}[h]\n"
        for k in "ifgo"
    )
    back = " + ".join(f"sum(k, U_{k}[k,h]*delta_z_{k}[n,t+1,k])" for k in "ifgo")
    after = "".join(
        f"dW_{k}[h,j] = sum(n, t, delta_z_{k}[n,t,h]*x[n,t,j])\n"
        f"dU_{k}[h,k] = sum(n, t, delta_z_{k}[n,t,h]*a[n,t-1,k])\n"
        f"db_{k}[h] = sum(n, t, delta_z_{k}[n,t,h])\n"
        f"gradient W_{k} dW_{k}\ngradient U_{k} dU_{k}\ngradient b_{k} db_{k}\n"
        for k in "ifgo"
    )
    return f"""
    loop t up
    {gates}
    i[n,t,h] = sigmoid(z_i[n,t,h])
    f[n,t,h] = sigmoid(z_f[n,t,h])
    g[n,t,h] = tanh(z_g[n,t,h])
    o[n,t,h] = sigmoid(z_o[n,t,h])
    c[n,t,h] = f[n,t,h]*c[n,t-1,h] + i[n,t,h]*g[n,t,h]
    r[n,t,h] = tanh(c[n,t,h])
    a[n,t,h] = o[n,t,h]*r[n,t,h]
    end
    loss S = sum(n, t, h, (a[n,t,h] - y[n,t,h])**2)
    loop t down
    delta_a[n,t,h] = 2*(a[n,t,h] - y[n,t,h]) + {back}
    delta_c[n,t,h] = delta_a[n,t,h]*o[n,t,h]*tanh_slope(c[n,t,h]) + delta_c[n,t+1,h]*f[n,t+1,h]
    delta_z_i[n,t,h] = delta_c[n,t,h]*g[n,t,h]*sigmoid_slope(z_i[n,t,h])
    delta_z_f[n,t,h] = delta_c[n,t,h]*c[n,t-1,h]*sigmoid_slope(z_f[n,t,h])
    delta_z_g[n,t,h] = delta_c[n,t,h]*i[n,t,h]*tanh_slope(z_g[n,t,h])
    delta_z_o[n,t,h] = delta_a[n,t,h]*r[n,t,h]*sigmoid_slope(z_o[n,t,h])
    end
    {after}
    """


case(
    _lstm_text(),
    (
        "input x[n,t,j]",
        *(
            f"parameter {w}_{k}[h{s}]"
            for k in "ifgo"
            for w, s in (("W", ",j"), ("U", ",k"), ("b", ""))
        ),
        "target y[n,t,h]",
    ),
    "a",
    lstm,
    H=3,
    K=3,
    J=2,
)
