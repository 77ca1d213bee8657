//! Attribute names of OpenTelemetry's semantic conventions (1.44), as they are after normalisation.

macro_rules! names {
    ($($(#[$doc:meta])* $id:ident = $name:literal;)*) => { $( #[doc = concat!("`", $name, "`")] pub const $id: &str = $name; )* };
}

names! {
    SERVICE_NAME = "service.name";
    SERVICE_NAMESPACE = "service.namespace";
    SERVICE_INSTANCE_ID = "service.instance.id";
    SERVICE_VERSION = "service.version";
    DEPLOYMENT_ENVIRONMENT_NAME = "deployment.environment.name";
    SERVICE_PEER_NAME = "service.peer.name";
    SERVER_ADDRESS = "server.address";
    SERVER_PORT = "server.port";
    CLIENT_ADDRESS = "client.address";
    NETWORK_PEER_ADDRESS = "network.peer.address";
    URL_FULL = "url.full";
    URL_PATH = "url.path";
    HTTP_REQUEST_METHOD = "http.request.method";
    HTTP_RESPONSE_STATUS_CODE = "http.response.status_code";
    HTTP_ROUTE = "http.route";
    HTTP_RESEND_COUNT = "http.request.resend_count";
    USER_AGENT = "user_agent.original";
    RPC_SYSTEM = "rpc.system";
    RPC_SERVICE = "rpc.service";
    RPC_METHOD = "rpc.method";
    RPC_GRPC_STATUS_CODE = "rpc.grpc.status_code";
    DB_SYSTEM_NAME = "db.system.name";
    DB_NAMESPACE = "db.namespace";
    DB_QUERY_TEXT = "db.query.text";
    DB_OPERATION_NAME = "db.operation.name";
    DB_COLLECTION_NAME = "db.collection.name";
    MESSAGING_SYSTEM = "messaging.system";
    MESSAGING_DESTINATION_NAME = "messaging.destination.name";
    MESSAGING_DESTINATION_TEMPLATE = "messaging.destination.template";
    MESSAGING_DESTINATION_TEMPORARY = "messaging.destination.temporary";
    MESSAGING_DESTINATION_ANONYMOUS = "messaging.destination.anonymous";
    MESSAGING_OPERATION_TYPE = "messaging.operation.type";
    MESSAGING_OPERATION_NAME = "messaging.operation.name";
    MESSAGING_MESSAGE_ID = "messaging.message.id";
    MESSAGING_CONVERSATION_ID = "messaging.message.conversation_id";
    MESSAGING_CONSUMER_GROUP = "messaging.consumer.group.name";
    MESSAGING_SUBSCRIPTION = "messaging.destination.subscription.name";
    MESSAGING_BATCH_COUNT = "messaging.batch.message_count";
    CLOUDEVENTS_ID = "cloudevents.event_id";
    CLOUDEVENTS_SOURCE = "cloudevents.event_source";
    CLOUDEVENTS_TYPE = "cloudevents.event_type";
    CLOUDEVENTS_SUBJECT = "cloudevents.event_subject";
    ERROR_TYPE = "error.type";
    EXCEPTION_TYPE = "exception.type";
    EXCEPTION_MESSAGE = "exception.message";
    EXCEPTION_STACKTRACE = "exception.stacktrace";
}

/// Names of the gRPC status codes by number (grpc.io, status codes).
pub const GRPC_CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
