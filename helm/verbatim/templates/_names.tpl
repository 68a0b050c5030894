{{/* Names and labels. Selectors hold only what can never change between upgrades. */}}

{{- define "verbatim.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/* 52: a StatefulSet's Pods carry its name and a hash of 11 characters in a label of 63. */}}
{{- define "verbatim.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else -}}
{{- $name := include "verbatim.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The Service without an address, which names the Pod and carries the operations port. */}}
{{- define "verbatim.podsName" -}}
{{- printf "%s-pods" (include "verbatim.fullname" .) -}}
{{- end -}}

{{- define "verbatim.selectorLabels" -}}
app.kubernetes.io/name: {{ include "verbatim.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: service
{{- end -}}

{{- define "verbatim.sharedLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "verbatim.labels" -}}
{{ include "verbatim.selectorLabels" . }}
{{ include "verbatim.sharedLabels" . }}
{{- end -}}

{{/* Of a Pod that is no service: a migration, a backup. */}}
{{- define "verbatim.jobLabels" -}}
app.kubernetes.io/name: {{ include "verbatim.name" .context }}
app.kubernetes.io/instance: {{ .context.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "verbatim.testLabels" -}}
{{- include "verbatim.jobLabels" (dict "context" . "component" "test") -}}
{{- end -}}

{{/* The claim of the backups. */}}
{{- define "verbatim.backupsName" -}}
{{- printf "%s-backups" (include "verbatim.fullname" .) -}}
{{- end -}}

{{- define "verbatim.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "verbatim.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "verbatim.image" -}}
{{- $needed := "image.repository: needed: where you pushed the image, such as registry.example.com/verbatim" -}}
{{- $repository := required $needed .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}
