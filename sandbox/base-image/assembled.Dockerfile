# Where Docker Hub cannot be reached: from roots of packages. (`docker import` of Docker 20.10 knows no other architecture.)
FROM scratch AS base
ADD base.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["node"]

FROM scratch AS nginx
ADD nginx.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["nginx", "-g", "daemon off;"]
