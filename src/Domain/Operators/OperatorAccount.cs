namespace Muster.Domain.Operators;

/// <summary>A person or a program that may call the operators' API.</summary>
[GenerateSerializer, Immutable, Alias("muster.operator-account")]
public sealed record OperatorAccount
{
    /// <summary>Characters of PEM: an RSA-4096 request with extensions has less than 3,000.</summary>
    public const int SigningRequestLengthMax = 16_384;

    [Id(0)] public required TenantId Tenant { get; init; }

    [Id(1)] public required ResourceId Id { get; init; }

    /// <summary>Each once, in the enum's order; at least one.</summary>
    [Id(2)] public required ImmutableArray<OperatorRole> Roles { get; init; }

    /// <summary>The certificate that was signed for it: the only one it may present.</summary>
    [Id(3)] public required SignedOperatorCertificate Certificate { get; init; }

    /// <summary>False once disabled: no certificate of it is accepted any more.</summary>
    [Id(4)] public required bool Enabled { get; init; }

    [Id(5)] public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The request that created it (AIP-155).</summary>
    [Id(6)] public required string RequestId { get; init; }

    /// <summary>SHA-256 of the signing request, 64 lower-case hex digits: tells a repetition from another request.</summary>
    [Id(7)] public required string SigningRequestSha256 { get; init; }
}
