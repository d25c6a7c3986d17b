# Postern's image: the sources as they are, production dependencies only, an unprivileged user, and a health check by a
# verb of Postern's own. Configure it by environment (POSTERN_HOSTNAME, POSTERN_DOMAINS, POSTERN_ACCOUNT_1 …) or mount a
# file over config/production.toml; keep /app/data and /app/certs on volumes.

FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The pinned Node of the optional dependencies is for machines that have an old one; this base brings its own.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:26-slim
WORKDIR /app
# The second name is where cron, PHP and others look for it.
RUN mkdir data certs && chown node:node data certs \
 && ln -s /app/src/launch.js /usr/local/bin/postern && ln -s /app/src/launch.js /usr/sbin/sendmail
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY src src
COPY config config
USER node
ENV NODE_ENV=production POSTERN_CONFIG=/app/config/production.toml
VOLUME ["/app/data", "/app/certs"]
EXPOSE 25 465 587 143 993 110 995
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["postern", "health"]
ENTRYPOINT ["postern"]
CMD ["serve"]
