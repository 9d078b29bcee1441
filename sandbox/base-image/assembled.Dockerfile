# Used if Docker Hub is not reachable. (`docker import` of Docker 20.10 does not support other architectures.)
FROM scratch AS base
ADD base.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["node"]

FROM scratch AS nginx
ADD nginx.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["nginx", "-g", "daemon off;"]
