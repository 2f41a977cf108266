/**
 * A throw-away certificate of "localhost" and 127.0.0.1, signed by itself, good until 2126, with its key: what the servers' `tls` takes. Who
 * shall trust it gets `cert` as the CA. Published on purpose: it protects nothing.
 */
export const localhostTls: { readonly cert: string; readonly key: string } = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUPEHf5mxAbNIVnRAHhxcBTSn4v0wwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDEyMjUzMVoYDzIxMjYxMDMx
MTIyNTMxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASi5VEiNHQiZIkDXEKLLMt6vkmfZM6acZ6dRCp5BMHJ8ngb5zQP4wVh
t7bOPCNIkWWuMP7QhTYJ7vbQMcDI/+ugo28wbTAdBgNVHQ4EFgQUWMBrovFUe+t/
u75gl+GQeE/yv1QwHwYDVR0jBBgwFoAUWMBrovFUe+t/u75gl+GQeE/yv1QwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgOJVYCBU06BEBuVXTioiqDHYLEvJ0jOLYZv761DvvqAUCIQCS
5M/23NxdEIaW6T+RrYK2iAnYkY0QBsI6U7U7g7/Pow==
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZivO8HfR5PJaWNWQ
f1tZaK4f2EJp2dL+alznHU0Jl6yhRANCAASi5VEiNHQiZIkDXEKLLMt6vkmfZM6a
cZ6dRCp5BMHJ8ngb5zQP4wVht7bOPCNIkWWuMP7QhTYJ7vbQMcDI/+ug
-----END PRIVATE KEY-----
`,
};
