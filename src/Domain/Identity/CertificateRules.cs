using Muster.Domain.Devices;
using Muster.Domain.Trust;

namespace Muster.Domain.Identity;

/// <summary>Which of the two calls of EST asks for a certificate (RFC 7030).</summary>
public enum CertificateCall
{
    /// <summary>Never sent.</summary>
    Unspecified = 0,

    /// <summary><c>simpleenroll</c>: the first certificate, with the maker's.</summary>
    Enroll = 1,

    /// <summary><c>simplereenroll</c>: the next one, with the one before.</summary>
    Renew = 2,
}

/// <summary>
/// Decides who gets a certificate of the fleet CA. EST decides nothing about enrolment: it issues to devices that are in service already.
/// </summary>
public static class CertificateRules
{
    /// <summary>The current one, and the one before it in its overlap.</summary>
    public const int CertificatesMax = 2;

    /// <summary>One joins at most every overlap, and leaves when it ends: a lifetime holds ten overlaps.</summary>
    public const int RevokedMax = 12;

    private const string MakersCertificate = "the certificate of its maker";
    private const string OwnCertificate = "its certificate of the fleet CA";

    /// <summary>Why this device gets no certificate, whatever it asks for; null when <see cref="Judge"/> decides.</summary>
    public static FleetError? CheckState(Device? device, DeviceId id, DeviceIdentity identity, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(identity);
        if (DeviceAdmission.Check(device, id, identity, now) is { } refused)
        {
            return refused;
        }

        if (identity.IsVouched)
        {
            // EST sees a certificate of its own; whatever asks like this, no key was proved.
            return DeviceErrors.IdentityNotProven(id);
        }

        return device!.State switch
        {
            DeviceState.InService => TrustRestrictions.Check(device),
            DeviceState.Expected => DeviceErrors.NotEnrolled(id),
            DeviceState.Enrolling => CertificateErrors.EnrollmentWaits(id),
            DeviceState.Quarantined or DeviceState.Decommissioning => DeviceErrors.NotInService(device),
            DeviceState.Decommissioned => DeviceErrors.Tombstone(id),
            DeviceState.Returned or DeviceState.Withdrawn => DeviceErrors.NotExpected(id),
            _ => throw new UnreachableException($"Device '{id}' has unknown state {device.State}."),
        };
    }

    /// <summary>What a device that passed <see cref="CheckState"/> may get a certificate for this key on, or why it gets none.</summary>
    public static (CertificateGround Ground, FleetError? Error) Judge(
        Device device, DeviceIdentity identity, CertificateCall call, Sha256Hash key, IssuingAuthority authority, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(identity);
        if (identity.IsOperational)
        {
            return call == CertificateCall.Renew
                ? (CertificateGround.Renewal, null)
                : (CertificateGround.Unspecified, CertificateErrors.WrongCertificate(device.Id, MakersCertificate));
        }

        if (call == CertificateCall.Enroll && IsFresh(device.LastHello, now))
        {
            return (CertificateGround.Hello, null);
        }

        if (IsLapsed(device, now) || FindRepeated(device, key, authority, now) is not null)
        {
            // A repetition gives what was given on the lapse before: whoever lost that answer has nothing else to show. When a newer CA
            // signs there is nothing to repeat.
            return (CertificateGround.Lapse, null);
        }

        return (CertificateGround.Unspecified, NotByTheMakers(device, call));
    }

    /// <summary>
    /// Why a certificate with other contents may not take the place of what was to be given again; null when it may. Nothing has lapsed,
    /// and a repetition is a ground for nothing new.
    /// </summary>
    public static FleetError? CheckRenumbered(Device device, CertificateGround ground, CertificateCall call, DateTimeOffset now) =>
        ground == CertificateGround.Lapse && !IsLapsed(device, now) ? NotByTheMakers(device, call) : null;

    /// <summary>
    /// A new key is taken from two thirds of the certificate's life on, or when a newer CA signs: every key stays in the store. Whoever
    /// lost the key, or the certificate, asks with the maker's certificate and is not held up by this.
    /// </summary>
    public static FleetError? CheckPace(
        Device device, CertificateGround ground, Sha256Hash key, IssuingAuthority authority, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        return ground == CertificateGround.Renewal
                && device.Certificates.LastOrDefault() is { } current
                && current.Key != key
                && current.Generation == authority.Generation
                && now < CertificateTerms.RenewFrom(current)
            ? CertificateErrors.RenewalEarly(device.Id, CertificateTerms.RenewFrom(current))
            : null;
    }

    /// <summary>Whether it had certificates of the fleet CA and none of them is accepted any more.</summary>
    public static bool IsLapsed(Device device, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        return !device.Certificates.IsEmpty && device.Certificates.All(certificate => certificate.AcceptedUntil <= now);
    }

    /// <summary>What is to be signed for this request: for one that is repeated, the same again.</summary>
    public static (CertificateOrder? Order, FleetError? Error) Order(
        Device device, RequestedCertificate request, CertificateSerial serial, IssuingAuthority authority, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(request);
        if (device.Identity?.Key == request.Key)
        {
            // It proves to the maker's end who the device is; a key that is replaced every month is another one.
            return (null, CertificateErrors.SigningRequestInvalid("its key is that of the maker's certificate"));
        }

        if (FindRepeated(device, request.Key, authority, now) is { } repeated)
        {
            var order = OrderOf(device, request, repeated.Serial, repeated.Generation, (repeated.NotBefore, repeated.NotAfter));
            return (order with { Signature = repeated.Signature }, null);
        }

        var overlap = device.Certificates.FirstOrDefault(
            certificate => certificate.ReplacedUntil is not null && certificate.AcceptedUntil > now);
        return overlap is not null && device.Certificates[^1].Key != request.Key
            ? (null, CertificateErrors.OverlapUnderWay(device.Id, overlap.AcceptedUntil))
            : (OrderOf(
                device, request, serial, authority.Generation, CertificateTerms.ValidityOf(serial, authority.NotAfter, now)), null);
    }

    /// <summary>
    /// Whether what was signed is another certificate under a serial number on record, because what the CA writes into certificates has
    /// changed since: then it is not given out, and the order gets a number of its own (<see cref="Renumber"/>).
    /// </summary>
    public static bool IsAnother(Device device, CertificateOrder order, Sha256Hash certificate)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(order);
        return device.Certificates.Any(known => known.Serial == order.Serial && known.Certificate != certificate);
    }

    /// <summary>The same order as a certificate of now.</summary>
    public static CertificateOrder Renumber(
        CertificateOrder order, CertificateSerial serial, IssuingAuthority authority, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(order);
        var (notBefore, notAfter) = CertificateTerms.ValidityOf(serial, authority.NotAfter, now);
        return order with { Serial = serial, NotBefore = notBefore, NotAfter = notAfter, Signature = null };
    }

    /// <summary>Takes the signed certificate on record; one that is there already changes nothing.</summary>
    public static Decision<Device> Issue(
        Device device, CertificateOrder order, Sha256Hash certificate, CertificateGround ground, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(order);
        if (device.Certificates.Any(known => known.Serial == order.Serial && known.Certificate == certificate))
        {
            return Decision.Unchanged(device);
        }

        var issued = new OperationalCertificate(
            order.Serial, order.Generation, certificate, order.Key, order.NotBefore, order.NotAfter) { Signature = order.Signature };
        var others = device.Certificates.Where(known => known.NotAfter > now && known.Serial != order.Serial).ToList();
        var previous = others.Count == 0 ? null : others[^1] with
        {
            ReplacedUntil = others[^1].ReplacedUntil ?? now + CertificateTerms.Overlap,
        };
        var (next, facts) = Revoke(device, [.. others.Where(known => known.Serial != previous?.Serial)], RevocationCause.Superseded, now);
        return Decision.Accept(
            next with { Certificates = previous is null ? [issued] : [previous, issued] },
            [
                new CertificateIssued(issued.Serial, issued.Generation, certificate, order.Key, issued.NotAfter, ground),
                .. facts,
            ]);
    }

    /// <summary>A tombstone has no certificates; those that have not ended are revoked, each with its fact.</summary>
    internal static (Device Next, ImmutableArray<DomainEvent> Facts) RevokeAll(Device device, DateTimeOffset now)
    {
        var (next, facts) = Revoke(
            device, [.. device.Certificates.Where(known => known.NotAfter > now)], RevocationCause.Decommissioned, now);
        return (next with { Certificates = [] }, facts);
    }

    /// <summary>The current certificate, when a request for this key is a repetition of the one that it was issued on.</summary>
    private static OperationalCertificate? FindRepeated(Device device, Sha256Hash key, IssuingAuthority authority, DateTimeOffset now) =>
        device.Certificates.LastOrDefault() is { } current && current.Key == key && current.Generation == authority.Generation
            && now < CertificateTerms.RenewFrom(current)
            ? current
            : null;

    /// <summary>The maker's certificate needs a fresh hello for the first call, and a lapse for the second.</summary>
    private static FleetError NotByTheMakers(Device device, CertificateCall call) => call == CertificateCall.Renew
        ? CertificateErrors.WrongCertificate(device.Id, OwnCertificate)
        : CertificateErrors.HelloTooOld(device.Id);

    /// <summary>
    /// The hello's identity was the one on record, as is the one that asks now: of the same kind they are the same certificate. One that
    /// is dated far ahead was heard by a clock that has been set back since: nobody knows how old it is.
    /// </summary>
    private static bool IsFresh(HelloEvidence? hello, DateTimeOffset now) =>
        hello is { By: IdentityKind.Maker or IdentityKind.Unspecified } evidence
        && (now - evidence.At).Duration() <= CertificateTerms.HelloAgeMax;

    private static CertificateOrder OrderOf(
        Device device,
        RequestedCertificate request,
        CertificateSerial serial,
        int generation,
        (DateTimeOffset NotBefore, DateTimeOffset NotAfter) validity) => new(
            SubjectOf(device), request.PublicKey, request.Key, serial, generation, validity.NotBefore, validity.NotAfter);

    /// <summary>Whom the device's certificates name.</summary>
    public static CertificateSubject SubjectOf(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        var identity = device.Identity ?? throw new InvalidOperationException($"Device '{device.Id}' has no identity on record.");
        return new CertificateSubject(device.Tenant, identity.Profile, device.Id);
    }

    private static (Device Next, ImmutableArray<DomainEvent> Facts) Revoke(
        Device device, ImmutableArray<OperationalCertificate> certificates, RevocationCause cause, DateTimeOffset now)
    {
        var listed = device.RevokedCertificates.Where(revoked => revoked.NotAfter > now).Concat(certificates.Select(
            certificate => new RevokedCertificate(certificate.Serial, certificate.Generation, cause, now, certificate.NotAfter)));
        return (
            device with { RevokedCertificates = [.. listed.TakeLast(RevokedMax)] },
            [.. certificates.Select(certificate => new CertificateRevoked(certificate.Serial, certificate.Generation, cause))]);
    }
}
