{{/* The Pod, whichever controller makes it. Takes the context and what the kind of store adds:

       context       the chart's
       storeFlags    flags of `verbatim serve`
       storeEnv      variables of the service's container
       storeMounts   mounts of the service's container
       storeVolumes  volumes of the Pod
*/}}
{{- define "verbatim.podTemplate" -}}
{{- $store := . -}}
{{- with .context -}}
metadata:
  labels:
    {{- include "verbatim.selectorLabels" . | nindent 4 }}
    {{- /* Without the chart's version: an upgrade that changes nothing of the Pod does not end it. */}}
    {{- with merge dict .Values.podLabels .Values.commonLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: verbatim
    # A change of the settings makes a new Pod.
    checksum/config: {{ include (print $.context.Template.BasePath "/configmap.yaml") . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "verbatim.serviceAccountName" . }}
  automountServiceAccountToken: false
  # Otherwise a Service named verbatim-… beside this one would set VERBATIM_… variables, which are settings.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "verbatim.gracePeriodSeconds" . }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- else }}
  {{- if eq .Values.mode "postgres" }}
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "verbatim.selectorLabels" $store.context | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- end }}
  {{- with .Values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: verbatim
      image: {{ include "verbatim.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - serve
        - --config=/etc/verbatim/verbatim.toml
        # Flags, which win over variables: ports and probes rest on these.
        - --listen={{ .Values.bindAddress }}:7450
        - --ops-listen={{ .Values.bindAddress }}:7451
        - --termination-log=/dev/termination-log
        {{- if or .Values.model.toml .Values.model.existingConfigMap.name }}
        - --model=/etc/verbatim-model/model.toml
        {{- end }}
        {{- range $store.storeFlags }}
        - {{ . }}
        {{- end }}
      ports:
        - name: grpc
          containerPort: 7450
        - name: ops
          containerPort: 7451
      {{- if or $store.storeEnv .Values.otlp.endpoint .Values.extraEnv }}
      env:
        {{- with $store.storeEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- if .Values.otlp.endpoint }}
        {{- include "verbatim.otlpEnv" . | nindent 8 }}
        {{- end }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      {{- with .Values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- include "verbatim.probes" . | nindent 6 }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      volumeMounts:
        - name: config
          mountPath: /etc/verbatim
          readOnly: true
        {{- if or .Values.model.toml .Values.model.existingConfigMap.name }}
        - name: model
          mountPath: /etc/verbatim-model
          readOnly: true
        {{- end }}
        {{- with $store.storeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- if .Values.otlp.caSecret.name }}
        - name: otlp-ca
          mountPath: /etc/verbatim-otlp
          readOnly: true
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with .Values.sidecars }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "verbatim.fullname" . }}
        items:
          - key: verbatim.toml
            path: verbatim.toml
    {{- if .Values.model.toml }}
    - name: model
      configMap:
        name: {{ include "verbatim.fullname" . }}
        items:
          - key: model.toml
            path: model.toml
    {{- else if .Values.model.existingConfigMap.name }}
    - name: model
      configMap:
        name: {{ .Values.model.existingConfigMap.name }}
        items:
          - key: {{ .Values.model.existingConfigMap.key }}
            path: model.toml
    {{- end }}
    {{- with $store.storeVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- if .Values.otlp.caSecret.name }}
    - name: otlp-ca
      secret:
        secretName: {{ .Values.otlp.caSecret.name }}
        items:
          - key: {{ .Values.otlp.caSecret.key }}
            path: ca.crt
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end -}}

{{/* Three questions. Has it started: its port is bound once the store is open and checked, and the operations port long
     before. Does it live, does it take calls. A full disk makes it unready and neither of the others: starting it anew
     would not help. */}}
{{- define "verbatim.probes" -}}
startupProbe:
  tcpSocket:
    port: grpc
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: {{ div (add .Values.startupBudgetSeconds 1) 2 }}
livenessProbe:
  httpGet:
    path: /livez
    port: ops
  {{- toYaml .Values.probes.liveness | nindent 2 }}
readinessProbe:
  httpGet:
    path: /readyz
    port: ops
  {{- toYaml .Values.probes.readiness | nindent 2 }}
{{- end -}}

{{- define "verbatim.otlpEnv" -}}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .Values.otlp.endpoint | quote }}
{{- range list "traces" "metrics" "logs" }}
{{- if not (has . $.Values.otlp.signals) }}
- name: OTEL_{{ upper . }}_EXPORTER
  value: none
{{- end }}
{{- end }}
{{- if .Values.otlp.caSecret.name }}
- name: OTEL_EXPORTER_OTLP_CERTIFICATE
  value: /etc/verbatim-otlp/ca.crt
{{- end }}
{{- with .Values.otlp.headersSecret }}
{{- if .name }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom:
    secretKeyRef:
      name: {{ .name }}
      key: {{ .key }}
{{- end }}
{{- end }}
- name: OTEL_SERVICE_NAME
  value: verbatim
- name: K8S_POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: K8S_POD_UID
  valueFrom:
    fieldRef:
      fieldPath: metadata.uid
- name: K8S_NODE_NAME
  valueFrom:
    fieldRef:
      fieldPath: spec.nodeName
- name: OTEL_RESOURCE_ATTRIBUTES
  value: "k8s.namespace.name={{ .Release.Namespace }},k8s.pod.name=$(K8S_POD_NAME),k8s.pod.uid=$(K8S_POD_UID),k8s.node.name=$(K8S_NODE_NAME)
    {{- range $name := keys .Values.otlp.resourceAttributes | sortAlpha -}}
    ,{{ $name }}={{ get $.Values.otlp.resourceAttributes $name }}
    {{- end }}"
{{- end -}}

{{/* Where the deals are, with its password. */}}
{{- define "verbatim.storeEnv" -}}
name: VERBATIM_STORE
valueFrom:
  secretKeyRef:
    name: {{ .Values.postgres.urlSecret.name }}
    key: {{ .Values.postgres.urlSecret.key }}
{{- end -}}

{{/* What the Pods of Jobs share: they may nothing either. */}}
{{- define "verbatim.jobPod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "verbatim.jobContainer" -}}
image: {{ include "verbatim.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
{{- end -}}

{{/* What the containers of `helm test` share. */}}
{{- define "verbatim.testContainer" -}}
{{ include "verbatim.jobContainer" . }}
env:
  - name: VERBATIM_SERVER
    value: http://{{ include "verbatim.fullname" . }}:{{ .Values.service.port }}
resources:
  requests:
    cpu: 10m
    memory: 32Mi
  limits:
    memory: 128Mi
{{- end -}}
