namespace Muster.Domain.Decommissioning;

/// <summary>
/// The proof that a device erased itself, with everything needed to verify it later: the device grain keeps it from the result
/// that made the device a tombstone, the decommissioning copies it (I9).
/// </summary>
/// <param name="Nonce">Of the factory-default command that it answers.</param>
/// <param name="Proof">The device key's signature over the canonical bytes of the erasure proof.</param>
/// <param name="CertificateSha256">Fingerprint of the certificate on record, 64 lower-case hex digits.</param>
/// <param name="KeySha256">Hash of the key that verified the proof, 64 lower-case hex digits.</param>
/// <param name="PublicKey">That key (SubjectPublicKeyInfo, DER).</param>
/// <param name="BootIdBefore">The last boot known before the command was answered; may be empty.</param>
/// <param name="BootIdAfter">The boot that answered; part of the signed bytes.</param>
/// <param name="ProvedAt">When the verified answer was committed.</param>
[GenerateSerializer, Immutable, Alias("muster.erasure-evidence")]
public sealed record ErasureEvidence(
    [property: Id(0)] string Nonce,
    [property: Id(1)] ImmutableArray<byte> Proof,
    [property: Id(2)] string CertificateSha256,
    [property: Id(3)] string KeySha256,
    [property: Id(4)] ImmutableArray<byte> PublicKey,
    [property: Id(5)] string BootIdBefore,
    [property: Id(6)] string BootIdAfter,
    [property: Id(7)] DateTimeOffset ProvedAt);
