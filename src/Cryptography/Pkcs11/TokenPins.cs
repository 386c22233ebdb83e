using Muster.Cryptography.Certificates;
using Net.Pkcs11Interop.Common;
using Net.Pkcs11Interop.HighLevelAPI;

namespace Muster.Cryptography.Pkcs11;

/// <summary>
/// Logs in to tokens with the PIN of a file. A token locks after a few wrong ones: one that was refused is not sent again, and the last
/// try is left to a human.
/// </summary>
internal sealed class TokenPins(bool isGroupReadAllowed)
{
    /// <summary>PINs and passwords of modules have some 8 to 64 bytes.</summary>
    private const int PinBytesMax = 256;

    /// <summary>Hashes of PINs that a token refused, by the token's serial number; for as long as this process lives.</summary>
    private readonly HashSet<(string Token, string Pin)> _refused = [];

    /// <summary>Logs in, if no other session has: a login is the application's, not the session's.</summary>
    public void Login(ISlot slot, ISession session, TokenUri uri)
    {
        if (session.GetSessionInfo().State is CKS.CKS_RO_USER_FUNCTIONS or CKS.CKS_RW_USER_FUNCTIONS)
        {
            return;
        }

        var token = slot.GetTokenInfo();
        if (token.TokenFlags.UserPinLocked || token.TokenFlags.UserPinFinalTry)
        {
            throw TokenException.Final(token.TokenFlags.UserPinLocked
                ? $"The PIN of {uri.Where} is locked: have it unlocked by its security officer."
                : $"One try is left until {uri.Where} locks its PIN, and it is not taken: log in by hand with the right PIN first.");
        }

        var pin = Read(uri);
        try
        {
            var known = (token.SerialNumber, Convert.ToHexString(SHA256.HashData(pin)));
            if (_refused.Contains(known))
            {
                throw Refused(uri);
            }

            Send(session, pin, uri, known);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pin);
        }
    }

    private void Send(ISession session, byte[] pin, TokenUri uri, (string Token, string Pin) known)
    {
        try
        {
            session.Login(CKU.CKU_USER, pin);
        }
        catch (Pkcs11Exception fault) when (fault.RV == CKR.CKR_USER_ALREADY_LOGGED_IN)
        {
            // By another session meanwhile.
        }
        catch (Pkcs11Exception fault) when (fault.RV is CKR.CKR_PIN_INCORRECT or CKR.CKR_PIN_INVALID or CKR.CKR_PIN_LEN_RANGE)
        {
            _refused.Add(known);
            throw Refused(uri);
        }
        catch (Pkcs11Exception fault) when (fault.RV is CKR.CKR_PIN_LOCKED or CKR.CKR_PIN_EXPIRED)
        {
            throw TokenException.Final(
                $"The PIN of {uri.Where} is locked or has expired ({fault.RV}): see to it with the module's own tool.");
        }
    }

    private static TokenException Refused(TokenUri uri) => TokenException.Final(
        $"The PIN in '{uri.PinSource}' is not the one of {uri.Where}. It is not tried again, because a token locks after a few wrong ones: "
        + "put the right one into the file.");

    /// <summary>The file's content without the line feed at its end.</summary>
    private byte[] Read(TokenUri uri)
    {
        var path = uri.PinSource
            ?? throw TokenException.Final($"The URI of {uri.Where} names no file with its PIN: add pin-source=/PATH, of mode 0600.");
        if (!File.Exists(path))
        {
            throw TokenException.Final($"The file '{path}' with the PIN of {uri.Where} is not there: write the PIN to it, of mode 0600.");
        }

        try
        {
            PrivateFile.RequireOwnerOnly(path, isGroupReadAllowed, "file with a token's PIN");
        }
        catch (KeyFileExposedException exposed)
        {
            throw TokenException.Final(exposed.Message);
        }

        var bytes = File.ReadAllBytes(path);
        var pin = bytes.AsSpan().TrimEnd("\r\n"u8).ToArray();
        CryptographicOperations.ZeroMemory(bytes);
        return pin.Length is > 0 and <= PinBytesMax
            ? pin
            : throw TokenException.Final($"The file '{path}' with the PIN of {uri.Where} is empty or longer than {PinBytesMax} bytes.");
    }
}
