using System.Collections.Immutable;
using System.Security.Cryptography;
using Muster.Contracts.CertificateStatus;
using Muster.Domain;
using Muster.Domain.CertificateStatus;
using Muster.Domain.Identity;

namespace Muster.Grains.Tests.Devices;

/// <summary>A fleet CA without cryptography: a request is its key, and a certificate is the order in words.</summary>
internal sealed class PlayedIssuer : ICertificateIssuer, IFleetSigner
{
    /// <summary>Requests that end like this are for a CA whose module is away.</summary>
    public const byte Unreachable = 0xEE;

    /// <summary>Requests that end like this name nobody.</summary>
    public const byte Nameless = 0xDD;

    /// <summary>Certificates for requests that end like this are written in other words each time.</summary>
    public const byte Reworded = 0xCC;

    private int _words;

    public ImmutableArray<int> Generations => [1];

    public IssuingAuthority? At(DateTimeOffset now) => new IssuingAuthority(1, now.AddYears(1));

    public (RequestedCertificate? Request, FleetError? Error) Read(
        ReadOnlySpan<byte> request, CertificateSubject subject, bool isNameOptional) => request.IsEmpty
        ? (null, CertificateErrors.SigningRequestInvalid("it is empty"))
        : request[^1] == Nameless && !isNameOptional
        ? (null, CertificateErrors.SigningRequestOfAnother(subject.Device, "subject"))
        : (new RequestedCertificate(Sha256Hash.Of(SHA256.HashData(request)), [.. request]), null);

    public CertificateSerial NewSerial(int generation) => CertificateSerial.Of(RandomNumberGenerator.GetBytes(16));

    public async Task<(SignedCertificate? Signed, FleetError? Error)> SignAsync(CertificateOrder order)
    {
        await Task.Yield();
        if (order.PublicKey[^1] == Unreachable)
        {
            return (null, CertificateErrors.FleetKeyUnreachable(order.Generation));
        }

        var words = order.PublicKey[^1] == Reworded ? Interlocked.Increment(ref _words) : 0;
        byte[] der = [.. System.Text.Encoding.UTF8.GetBytes($"{order.Subject} {order.Key} {order.Serial} {order.NotAfter:O} {words}")];
        return (new SignedCertificate([.. der], Sha256Hash.Of(SHA256.HashData(der))), null);
    }

    public Task<(ImmutableArray<byte> Der, FleetError? Error)> SignListAsync(RevocationList list) => throw new NotSupportedException();

    public Task<OcspAnswer> AnswerAsync(
        ImmutableArray<byte> request,
        Func<int, CertificateSerial, RevokedCertificate?> find,
        DateTimeOffset thisUpdate,
        DateTimeOffset now) => throw new NotSupportedException();
}
