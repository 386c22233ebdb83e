using Muster.Cryptography.CertificateStatus;
using Muster.Domain;
using Muster.Domain.CertificateStatus;
using Muster.Domain.Identity;

namespace Muster.Cryptography.Certificates;

/// <summary>
/// The fleet's CAs whose keys are here. Certificates come from the newest that has begun; an older one goes on saying what became of its
/// own.
/// </summary>
public sealed class FleetAuthorities : ICertificateIssuer, IDisposable
{
    private readonly ImmutableArray<FleetAuthority> _newestFirst;

    /// <param name="authorities">With their keys; disposed with this.</param>
    public FleetAuthorities(IEnumerable<FleetAuthority> authorities)
    {
        _newestFirst = [.. authorities.OrderByDescending(authority => authority.Generation)];
        Generations = [.. _newestFirst.Select(authority => authority.Generation)];
    }

    public ImmutableArray<int> Generations { get; }

    /// <summary>When the last of them ends; null without one.</summary>
    public DateTimeOffset? NotAfter => _newestFirst.IsEmpty ? null : _newestFirst.Max(authority => authority.NotAfter);

    public IssuingAuthority? At(DateTimeOffset now) =>
        _newestFirst.FirstOrDefault(authority => authority.SignsFrom <= now) is { } signs && now < signs.NotAfter
            ? new IssuingAuthority(signs.Generation, signs.NotAfter)
            : null;

    public (RequestedCertificate? Request, FleetError? Error) Read(
        ReadOnlySpan<byte> request, CertificateSubject subject, bool isNameOptional) =>
        FleetAuthority.Read(request, subject, isNameOptional);

    public CertificateSerial NewSerial(int generation) => Of(generation).NewSerial();

    /// <summary>The CA of this number.</summary>
    public FleetAuthority Of(int generation) => _newestFirst.FirstOrDefault(authority => authority.Generation == generation)
        ?? throw new ArgumentException($"The key of fleet CA {generation} is not here.", nameof(generation));

    /// <summary>The CAs whose keys should sign a certificate for their OCSP responders before somebody is answered.</summary>
    public IEnumerable<FleetAuthority> WithDelegationDue(DateTimeOffset now) =>
        _newestFirst.Where(authority => authority.IsDelegationDue(now));

    /// <summary>
    /// Answers an OCSP request (RFC 6960). A serial number that no fleet CA chose is unknown, one that <paramref name="find"/> knows is
    /// revoked, others are good.
    /// </summary>
    /// <param name="request">OCSPRequest, DER; whatever was sent.</param>
    /// <param name="find">The revocation in force of a generation's certificate, or null.</param>
    /// <param name="thisUpdate">When what <paramref name="find"/> says was true.</param>
    /// <param name="now">Now.</param>
    public OcspAnswer Answer(
        ReadOnlySpan<byte> request,
        Func<int, CertificateSerial, RevokedCertificate?> find,
        DateTimeOffset thisUpdate,
        DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(find);
        return OcspQuestion.Read(request) is not { } question
            ? OcspErrors.MalformedRequest
            : _newestFirst.FirstOrDefault(authority => authority.IsIssuerOf(question)) is { } issuer
                ? issuer.Answer(question, find, thisUpdate, now)
                : OcspErrors.Unauthorized;
    }

    public void Dispose()
    {
        foreach (var authority in _newestFirst)
        {
            authority.Dispose();
        }
    }
}
