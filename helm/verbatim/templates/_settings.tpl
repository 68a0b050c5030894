{{/* The settings of the service, and what follows from them. */}}

{{/* The settings as TOML. Lists are written as JSON, which is TOML for lists of strings; so are strings. */}}
{{- define "verbatim.toml" -}}
{{- range $key := keys .Values.config | sortAlpha }}
{{- $value := get $.Values.config $key }}
{{- if or (kindIs "float64" $value) (kindIs "int64" $value) (kindIs "int" $value) }}
{{ $key }} = {{ int64 $value }}
{{- else }}
{{ $key }} = {{ toRawJson $value }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A setting that other things follow from: as configured, else the service's own default. */}}
{{- define "verbatim.setting" -}}
{{- $defaults := dict "drain_ms" 0 "drain_timeout_ms" 10000 "deal_cache_mib" 64 "store_cache_mib" 64 "calls_max" 1024 "write_queue_max" 4096 "free_mib_min" 64 -}}
{{- if hasKey .context.Values.config .key -}}
{{- get .context.Values.config .key | int64 -}}
{{- else -}}
{{- get $defaults .key -}}
{{- end -}}
{{- end -}}

{{- define "verbatim.drainSeconds" -}}
{{- $ms := add (include "verbatim.setting" (dict "context" . "key" "drain_ms")) (include "verbatim.setting" (dict "context" . "key" "drain_timeout_ms")) -}}
{{- div (add $ms 999) 1000 -}}
{{- end -}}

{{/* From SIGTERM to SIGKILL: the drain, then time to write what waits, close the store and send telemetry. */}}
{{- define "verbatim.gracePeriodSeconds" -}}
{{- $drain := include "verbatim.drainSeconds" . | int64 -}}
{{- $given := .Values.terminationGracePeriodSeconds -}}
{{- if kindIs "invalid" $given -}}
{{- add $drain 15 -}}
{{- else if lt (int64 $given) (add $drain 5) -}}
{{- fail (printf "terminationGracePeriodSeconds: must be at least %d, which is config.drain_ms and config.drain_timeout_ms and 5 s to close the store; got %d" (add $drain 5) (int64 $given)) -}}
{{- else -}}
{{- int64 $given -}}
{{- end -}}
{{- end -}}

{{/* Refuses a memory limit that the caches alone would fill. */}}
{{- define "verbatim.checkMemory" -}}
{{- $limits := dig "limits" dict .Values.resources -}}
{{- $limit := toString (default "" (get $limits "memory")) -}}
{{- $mib := 0 -}}
{{- if regexMatch "^[0-9]+Mi$" $limit -}}
{{- $mib = trimSuffix "Mi" $limit | int64 -}}
{{- else if regexMatch "^[0-9]+Gi$" $limit -}}
{{- $mib = trimSuffix "Gi" $limit | int64 | mul 1024 -}}
{{- end -}}
{{- $deals := include "verbatim.setting" (dict "context" . "key" "deal_cache_mib") | int64 -}}
{{- $store := include "verbatim.setting" (dict "context" . "key" "store_cache_mib") | int64 -}}
{{- /* Without the embedded store there is nothing in its cache. */ -}}
{{- if eq .Values.mode "postgres" -}}{{- $store = 0 -}}{{- end -}}
{{- $needed := add $deals (mul 3 $store) 256 -}}
{{- if and $mib (lt (int64 $mib) (int64 $needed)) -}}
{{- fail (printf "resources.limits.memory: must be at least %dMi, which is config.deal_cache_mib and three times config.store_cache_mib and 256 MiB for all else; got %s" $needed $limit) -}}
{{- end -}}
{{- end -}}

{{/* Refuses what would be made and could not work. */}}
{{- define "verbatim.checkValues" -}}
{{- include "verbatim.checkMemory" . -}}
{{- if and (eq .Values.mode "postgres") (not .Values.postgres.urlSecret.name) -}}
{{- fail "postgres.urlSecret.name: needed in mode postgres: a Secret with the URL of the database" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (ne .Values.mode "postgres") -}}
{{- fail "autoscaling.enabled: needs mode postgres: the embedded store is held by one Pod" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (lt (int .Values.autoscaling.maxReplicas) (int .Values.autoscaling.minReplicas)) -}}
{{- fail "autoscaling.maxReplicas: must be at least autoscaling.minReplicas" -}}
{{- end -}}
{{- if and .Values.model.toml .Values.model.existingConfigMap.name -}}
{{- fail "model: give toml or existingConfigMap.name, not both" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- fail "ingress.hosts: at least one host name is needed" -}}
{{- end -}}
{{- range $kind := list "grpcRoute" "httpRoute" -}}
{{- $route := get $.Values $kind -}}
{{- if and $route.enabled (not $route.parentRefs) -}}
{{- fail (printf "%s.parentRefs: at least one gateway is needed" $kind) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.grpcRoute.enabled .Values.httpRoute.enabled (eq (toJson .Values.grpcRoute.parentRefs) (toJson .Values.httpRoute.parentRefs)) -}}
{{- $every := or (not .Values.grpcRoute.hostnames) (not .Values.httpRoute.hostnames) -}}
{{- $shared := false -}}
{{- range .Values.grpcRoute.hostnames -}}
{{- if has . $.Values.httpRoute.hostnames -}}{{- $shared = true -}}{{- end -}}
{{- end -}}
{{- if or $every $shared -}}
{{- fail "grpcRoute.hostnames, httpRoute.hostnames: must differ, since a listener serves gRPC or HTTP routes of one host name; or attach them to different listeners (parentRefs)" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.prometheusRule.enabled (not .Values.serviceMonitor.enabled) -}}
{{- fail "prometheusRule.enabled: needs serviceMonitor.enabled, by whose labels the alerts select" -}}
{{- end -}}
{{- end -}}

{{/* The port of an OTLP endpoint. */}}
{{- define "verbatim.otlpPort" -}}
{{- include "verbatim.portOf" .Values.otlp.endpoint | default "443" -}}
{{- end -}}

{{/* The port that a URL names; nothing where it names none. */}}
{{- define "verbatim.portOf" -}}
{{- regexFind ":[0-9]+$" (urlParse .).host | trimPrefix ":" -}}
{{- end -}}
