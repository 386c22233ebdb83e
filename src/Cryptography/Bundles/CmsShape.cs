using System.Formats.Asn1;
using Muster.Cryptography.Manifests;

namespace Muster.Cryptography.Bundles;

/// <summary>
/// Whether the fields of a CMS message that no signature covers are as DER and RFC 5652 want them. Else they could be changed in a bundle
/// at will, and a device's parser might make something else of them than ours.
/// </summary>
internal static class CmsShape
{
    private static readonly Asn1Tag Zero = new(TagClass.ContextSpecific, 0, isConstructed: true);

    public static bool IsExact(ReadOnlyMemory<byte> message, CmsSignature cms)
    {
        try
        {
            var outer = new AsnReader(message, AsnEncodingRules.DER);
            var info = outer.ReadSequence();
            info.ReadObjectIdentifier();
            var tagged = info.ReadSequence(Zero);
            var data = tagged.ReadSequence();
            var isExact = IsExact(data, cms);
            outer.ThrowIfNotEmpty();
            info.ThrowIfNotEmpty();
            tagged.ThrowIfNotEmpty();
            data.ThrowIfNotEmpty();
            return isExact;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    /// <summary>RFC 5652 5.1: one digest algorithm, the signer's; certificates and no revocation lists; one signer.</summary>
    private static bool IsExact(AsnReader data, CmsSignature cms)
    {
        if (!data.TryReadInt32(out var version))
        {
            return false;
        }

        var digests = data.ReadSetOf();
        var digest = ReadAlgorithm(digests);
        digests.ThrowIfNotEmpty();
        data.ReadSequence();
        data.ReadSetOf(Zero);
        var signers = data.ReadSetOf();
        var signer = signers.ReadSequence();
        signers.ThrowIfNotEmpty();
        if (!signer.TryReadInt32(out var signerVersion))
        {
            return false;
        }

        // The form of the signer's name decides both versions. Whoever looks for the certificate may take upper case for lower.
        var isNamed = signer.PeekTag() == Asn1Tag.Sequence;
        var isHis = !isNamed || signer.PeekContentBytes().Span.StartsWith(cms.Certificate.IssuerName.RawData);
        signer.ReadEncodedValue();
        return isHis && digest == cms.DigestOid && ReadAlgorithm(signer) == cms.DigestOid
            && version == signerVersion && version == (isNamed ? 1 : 3);
    }

    private static string ReadAlgorithm(AsnReader reader)
    {
        var algorithm = reader.ReadSequence();
        var oid = algorithm.ReadObjectIdentifier();
        if (algorithm.HasData)
        {
            algorithm.ReadNull();
        }

        algorithm.ThrowIfNotEmpty();
        return oid;
    }
}
