{{- define "chat.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods; it never changes during the life of a release. */}}
{{- define "chat.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "chat.labels" -}}
{{ include "chat.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "chat.clustered" -}}
{{- if or .Values.redis.url .Values.redis.existingSecret -}}yes{{- end -}}
{{- end -}}

{{- define "chat.redisSecret" -}}
{{- .Values.redis.existingSecret | default (include "chat.name" .) -}}
{{- end -}}

{{- define "chat.jwtSecret" -}}
{{- .Values.jwt.existingSecret | default (include "chat.name" .) -}}
{{- end -}}

{{/* What is wrong in the values is said at once, not by pods that do not start. */}}
{{- define "chat.check" -}}
{{- if not (include "chat.clustered" .) -}}
{{- if .Values.autoscaling.enabled }}{{ fail "autoscaling needs redis.url or redis.existingSecret: without a Redis each instance would be a chat of its own" }}{{ end -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.autoscaling.enabled) }}{{ fail (printf "replicas=%d needs redis.url or redis.existingSecret: without a Redis each instance would be a chat of its own" (int .Values.replicas)) }}{{ end -}}
{{- end -}}
{{- if and .Values.jwt.enabled (not .Values.jwt.secret) (not .Values.jwt.existingSecret) }}{{ fail "jwt.enabled needs jwt.secret or jwt.existingSecret" }}{{ end -}}
{{- end -}}
