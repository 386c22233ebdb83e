using System.Text;
using Muster.Domain.Devices;

namespace Muster.Domain.Decommissioning;

/// <summary>
/// What a device signs with its identity key after it has erased itself: that this device, in this boot, executed this command.
/// </summary>
/// <param name="Tenant">The tenant that ordered it.</param>
/// <param name="Device">The device.</param>
/// <param name="Nonce">Of the command: a proof answers one command only.</param>
/// <param name="BootId">The boot after the erasure.</param>
/// <param name="Method">What was done, for example <see cref="FactoryDefault"/>.</param>
public sealed record ErasureProof(TenantId Tenant, DeviceId Device, string Nonce, string BootId, string Method)
{
    /// <summary>A hard factory default; NIST SP 800-88 calls it Clear.</summary>
    public const string FactoryDefault = "factory-default";

    /// <summary>Boot ids and nonces have at most 64 characters; nothing else is longer.</summary>
    public const int ValueLengthMax = 64;

    private const string Header = "muster erasure proof 1";

    /// <summary>
    /// The bytes that are signed, UTF-8, six lines of which each ends with one line feed: <c>muster erasure proof 1</c>,
    /// <c>tenant=…</c>, <c>device=…</c>, <c>nonce=…</c>, <c>boot_id=…</c>, <c>method=…</c>. Values without control characters make
    /// it one-to-one; any other value has no encoding and gives false.
    /// </summary>
    public bool TryEncode(out ImmutableArray<byte> bytes)
    {
        bytes = [];
        foreach (var value in new[] { Tenant.Value, Device.Value, Nonce, BootId, Method })
        {
            if (value is not { Length: > 0 and <= ValueLengthMax } || value.Any(c => char.IsControl(c) || char.IsSurrogate(c)))
            {
                return false;
            }
        }

        var text = $"{Header}\ntenant={Tenant}\ndevice={Device}\nnonce={Nonce}\nboot_id={BootId}\nmethod={Method}\n";
        bytes = [.. Encoding.UTF8.GetBytes(text)];
        return true;
    }
}

/// <summary>
/// Port: verifies an erasure proof under the public key of the certificate on record. ECDSA on P-256 and RSA (PKCS #1 v1.5) sign
/// the SHA-256 of the bytes, ECDSA on larger curves the SHA-384; ECDSA signatures are DER (RFC 3279).
/// </summary>
public interface IErasureProofVerifier
{
    /// <summary>
    /// Null when the signature verifies; otherwise a refusal with reason <c>ERASURE_PROOF_INVALID</c>. Never throws because of
    /// what the bytes say.
    /// </summary>
    /// <param name="proof">What was to be signed, from the record and the result, never from the signature's sender alone.</param>
    /// <param name="publicKey">SubjectPublicKeyInfo on record, DER.</param>
    /// <param name="signature">The device's answer.</param>
    FleetError? Verify(ErasureProof proof, ImmutableArray<byte> publicKey, ImmutableArray<byte> signature);
}
