using System.Formats.Asn1;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;
using Net.Pkcs11Interop.HighLevelAPI.Factories;

namespace Muster.Cryptography.Pkcs11;

/// <summary>Finds tokens and keys by their URI, and makes keys that never leave their token.</summary>
internal static class TokenObjects
{
    private const string EcPublicKey = "1.2.840.10045.2.1";
    private const string P256 = "1.2.840.10045.3.1.7";

    /// <summary>Keys that one URI may name: with more it is not known which one is meant, and one is enough to say so.</summary>
    private const int FoundMax = 2;

    private const int IdBytes = 16;

    private static readonly IObjectAttributeFactory Attributes = TokenLibrary.Factories.ObjectAttributeFactory;

    public static ISlot FindSlot(IPkcs11Library library, TokenUri uri)
    {
        var fitting = library.GetSlotList(SlotsType.WithTokenPresent).Where(slot => IsFit(slot, uri)).Take(FoundMax).ToList();
        return fitting switch
        {
            [var one] => one,
            [] => throw new TokenException(
                $"The module has no {uri.Where} now: see that it is there and reachable, and that the URI's token, serial, manufacturer, "
                + "model and slot-id are its own ('pkcs11-tool --list-token-slots' shows them)."),
            _ => throw TokenException.Final($"The module has more than one {uri.Where}: add serial= to the URI."),
        };
    }

    public static IObjectHandle FindKey(ISession session, TokenUri uri) => Find(session, uri, CKO.CKO_PRIVATE_KEY)
        ?? throw new TokenException(
            $"{uri.Where} has no private key {uri.Which}: mend object= and id= of the URI ('pkcs11-tool --login --list-objects' shows what "
            + "is there).");

    /// <summary>The key that the URI names; null when there is none.</summary>
    public static IObjectHandle? Find(ISession session, TokenUri uri, CKO kind)
    {
        List<IObjectAttribute> wanted = [Attributes.Create(CKA.CKA_CLASS, kind)];
        if (uri.Label is { } label)
        {
            wanted.Add(Attributes.Create(CKA.CKA_LABEL, label));
        }

        if (uri.Id is { } id)
        {
            wanted.Add(Attributes.Create(CKA.CKA_ID, id));
        }

        return session.FindAllObjects(wanted) switch
        {
            [var one] => one,
            [] => null,
            _ => throw TokenException.Final($"{uri.Where} has more than one key {uri.Which}: add id= to the URI."),
        };
    }

    /// <summary>A key pair on P-256 whose private half cannot be read, wrapped or copied.</summary>
    public static byte[] Generate(ISession session, string label, byte[]? wantedId)
    {
        var id = wantedId ?? RandomNumberGenerator.GetBytes(IdBytes);
        var curve = new AsnWriter(AsnEncodingRules.DER);
        curve.WriteObjectIdentifier(P256);
        List<IObjectAttribute> both =
            [Attributes.Create(CKA.CKA_TOKEN, true), Attributes.Create(CKA.CKA_LABEL, label), Attributes.Create(CKA.CKA_ID, id)];
        session.GenerateKeyPair(
            TokenLibrary.Factories.MechanismFactory.Create(CKM.CKM_EC_KEY_PAIR_GEN),
            [
                .. both,
                Attributes.Create(CKA.CKA_PRIVATE, false),
                Attributes.Create(CKA.CKA_VERIFY, true),
                Attributes.Create(CKA.CKA_EC_PARAMS, curve.Encode()),
            ],
            [
                .. both,
                Attributes.Create(CKA.CKA_PRIVATE, true),
                Attributes.Create(CKA.CKA_SENSITIVE, true),
                Attributes.Create(CKA.CKA_EXTRACTABLE, false),
                Attributes.Create(CKA.CKA_SIGN, true),
            ],
            out _,
            out _);
        return id;
    }

    /// <summary>Why a key cannot be a CA's; null when it can.</summary>
    public static string? FaultOf(ISession session, IObjectHandle key)
    {
        var read = session.GetAttributeValue(key, [CKA.CKA_KEY_TYPE, CKA.CKA_SIGN, CKA.CKA_SENSITIVE, CKA.CKA_EXTRACTABLE]);
        return read[0].CannotBeRead || read[0].GetValueAsUlong() != (ulong)CKK.CKK_EC
            ? "is no key on an elliptic curve: the fleet CA signs with P-256, P-384 or P-521"
            : !IsTrue(read[1])
                ? "may not sign (CKA_SIGN)"
                : !IsTrue(read[2]) || read[3].CannotBeRead || read[3].GetValueAsBool()
                    ? "can be taken out of its token (CKA_SENSITIVE, CKA_EXTRACTABLE): have one made that cannot"
                    : null;
    }

    /// <summary>The CKA_ID of a key; empty when it has none.</summary>
    public static byte[] IdOf(ISession session, IObjectHandle key) =>
        session.GetAttributeValue(key, [CKA.CKA_ID])[0] is { CannotBeRead: false } id ? id.GetValueAsByteArray() ?? [] : [];

    /// <summary>The label of a key.</summary>
    public static string LabelOf(ISession session, IObjectHandle key) =>
        session.GetAttributeValue(key, [CKA.CKA_LABEL])[0].GetValueAsString();

    /// <summary>The public half, from the object that was made with it.</summary>
    public static PublicKey PublicKeyOf(ISession session, TokenUri uri)
    {
        var key = Find(session, uri, CKO.CKO_PUBLIC_KEY) ?? throw TokenException.Final(
            $"{uri.Where} has no public key {uri.Which} beside the private one: the CA's certificate cannot be made without it.");
        var read = session.GetAttributeValue(key, [CKA.CKA_EC_PARAMS, CKA.CKA_EC_POINT]);
        var info = new AsnWriter(AsnEncodingRules.DER);
        using (info.PushSequence())
        {
            using (info.PushSequence())
            {
                info.WriteObjectIdentifier(EcPublicKey);
                info.WriteEncodedValue(read[0].GetValueAsByteArray());
            }

            info.WriteBitString(AsnDecoder.ReadOctetString(read[1].GetValueAsByteArray(), AsnEncodingRules.DER, out _));
        }

        return PublicKey.CreateFromSubjectPublicKeyInfo(info.Encode(), out _);
    }

    private static bool IsFit(ISlot slot, TokenUri uri)
    {
        if (uri.SlotId is { } wanted && wanted != slot.SlotId)
        {
            return false;
        }

        var token = slot.GetTokenInfo();
        return IsSame(uri.Token, token.Label) && IsSame(uri.Serial, token.SerialNumber)
            && IsSame(uri.Manufacturer, token.ManufacturerId) && IsSame(uri.Model, token.Model);
    }

    /// <summary>Modules pad with blanks (PKCS #11).</summary>
    private static bool IsSame(string? wanted, string found) => wanted is null || wanted == found.TrimEnd(' ', '\0');

    private static bool IsTrue(IObjectAttribute attribute) => !attribute.CannotBeRead && attribute.GetValueAsBool();
}
