//! What a new settings file looks like.

/// Every section with an example. Valid as it stands, and the same as no file at all.
pub(super) const TEMPLATE: &str = r##"# Flowglass settings of one workspace. Edit here or in the window: comments stay. Keep it in git if you like.
# Names are node ids ("service:shop/order-prc-api@prod") or plain names ("order-prc-api"). Where a rule says so, "*" at the end
# matches any rest, and a rule for exactly one name wins over one with "*".

# Fields that carry business keys, besides the built-in ones (orderId, customerId and the like): attributes, headers, baggage, and
# payload fields, also by path. What arrives from then on is searched for them.
# business_keys = ["parcelId", "shipment.trackingCode"]
business_keys = []

# Operations that are noise: left out of the map's figures and counted beside it, never dropped. "*" stands for anything; a pattern
# may begin with the name of a service and a blank. Without this list the usual health probes are noise; an empty one means nothing is.
# noise = ["GET */health", "*/metrics", "poller-sys-api *"]

# Layers chosen by hand: backend, system, event, process, experience or consumer.
# "order-prc-api" = "process"
[layers]

# Business domains. "*" at the end matches any rest.
# "payments-*" = "Payments"
[domains]

# Layers by name, tried in order. As soon as one stands here, the built-in patterns no longer count.
# [[layer_patterns]]
# pattern = "-exp-api"
# layer = "experience"

# Two names of one participant: what is seen as the first is drawn as the second.
# [[aliases]]
# from = "external:payments.internal"
# to = "payments-sys-api"

# Who runs what, tried in order. "*" at the end matches any rest.
# [[owners]]
# match_name = "payments-*"
# owner = "Team Payments"
# contact = "#payments"
# runbook = "https://wiki.example/payments"

# Fields hidden on display and export until someone reveals them; "*" stands for anything. As soon as one stands here, only these
# count. Credentials are never kept at all.
# [[redaction]]
# key = "iban"

# Rules of the architecture: severities, thresholds, own rules, exceptions. The window's Architecture has examples.
# [[rules.forbidden]]
# name = "web-stays-out-of-crm"
# from = "layer:experience"
# to = "domain:CRM"
# Where else the same moment can be seen. {trace}, {service}, {key}, {from} and {to} (RFC 3339), {from_ms}, {to_ms}, {from_s}, {to_s}
# are filled in, with a minute around the journey.
# [[links]]
# name = "Grafana"
# url = "https://grafana.example/d/logs?from={from_ms}&to={to_ms}&var-trace={trace}"

# Jaeger or Tempo, offered where a search finds nothing here. kind is jaeger or tempo.
# [[trace_stores]]
# name = "Tempo"
# url = "http://tempo.example:3200"
# kind = "tempo"

# How traces without a common context become one journey. An id that joins more traces than shared_by joins none of them; where more
# than traces_per_span meet at one span, journeys end and begin. Entries are names ("requestId", "causation"), a name with a value, or
# "span=TRACE/SPAN"; the window writes them.
# [joins]
# shared_by = 20
# traces_per_span = 1000
# never = ["requestId", "correlationId=global"]
# always = ["correlationId=batch-17"]

# What is kept. Healthy journeys go before failed ones; those that are bookmarked, noted or compared never go by a rule, and the
# figures of the map stay whatever goes. Without a size it is 20 GB; "unlimited" keeps everything. Ages are hours, days or weeks.
# [retention]
# size = "20 GB"
# journeys = 1000000
# age = "7 days"           # healthy journeys, with all that belongs to them
# failed_age = "30 days"   # failed, degraded and unfinished ones
# events_age = "7 days"    # events that belong to no journey
# logs_age = "3 days"      # log records that belong to no journey

# Protobuf payloads, tried in order; in a subject "*" stands for one token, ">" for the rest. The descriptor set is what
# protoc --include_imports --descriptor_set_out=orders.desc writes, beside this file.
# [[protobuf]]
# subject = "orders.*"
# message = "shop.OrderPlaced"
# descriptors = "orders.desc"
"##;
