namespace Muster.Domain;

/// <summary>What kind of refusal this is; each kind is one gRPC status code (google.rpc.Code) at the edge.</summary>
public enum ErrorKind
{
    /// <summary>Never stored, never sent.</summary>
    Unspecified = 0,

    /// <summary>A field is malformed or out of range: INVALID_ARGUMENT.</summary>
    Invalid = 1,

    /// <summary>The named thing does not exist: NOT_FOUND.</summary>
    NotFound = 2,

    /// <summary>Something else already has this name: ALREADY_EXISTS.</summary>
    AlreadyExists = 3,

    /// <summary>The state does not allow the command: FAILED_PRECONDITION.</summary>
    Precondition = 4,

    /// <summary>The caller may not do this: PERMISSION_DENIED.</summary>
    Denied = 5,

    /// <summary>Somebody changed it meanwhile: ABORTED.</summary>
    Conflict = 6,

    /// <summary>A limit, quota or budget is spent: RESOURCE_EXHAUSTED.</summary>
    Exhausted = 7,

    /// <summary>Not possible now, the same call may pass later: UNAVAILABLE.</summary>
    Unavailable = 8,
}

/// <summary>One value of a refusal's metadata, for example <c>device = B8A44F000001</c>.</summary>
[GenerateSerializer, Immutable, Alias("muster.error-detail")]
public sealed record ErrorDetail([property: Id(0)] string Key, [property: Id(1)] string Value);

/// <summary>
/// A refusal as a value. <see cref="Reason"/> is a name of <c>muster.v1.ErrorReason</c> (errors.proto); gRPC callers get
/// it in <c>ErrorInfo</c>, devices in a <c>rejection</c>. Every value in the message is in the metadata too (AIP-193).
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.fleet-error")]
public sealed record FleetError(
    [property: Id(0)] ErrorKind Kind,
    [property: Id(1)] string Reason,
    [property: Id(2)] string Message,
    [property: Id(3)] ImmutableArray<ErrorDetail> Metadata)
{
    /// <summary>Builds a refusal; <paramref name="metadata"/> holds the values that the message names.</summary>
    public static FleetError Of(ErrorKind kind, string reason, string message, params ReadOnlySpan<(string Key, string Value)> metadata)
    {
        var details = ImmutableArray.CreateBuilder<ErrorDetail>(metadata.Length);
        foreach (var (key, value) in metadata)
        {
            details.Add(new ErrorDetail(key, value));
        }

        return new FleetError(kind, reason, message, details.MoveToImmutable());
    }
}
