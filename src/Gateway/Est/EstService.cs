using System.Collections.Immutable;
using Muster.Contracts.Devices;
using Muster.Cryptography.Certificates;
using Muster.Cryptography.Est;
using Muster.Domain;
using Muster.Domain.Enrollments;
using Muster.Domain.Identity;
using Muster.Gateway.Devices;
using Muster.Gateway.Identity;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Revocations;

namespace Muster.Gateway.Est;

/// <summary>
/// EST as a thin edge: it reads the request and writes the answer. Who gets a certificate is decided by the device's grain, which is asked
/// on every call before anything is answered; what is signed is signed in a silo.
/// </summary>
internal sealed partial class EstService(
    IGrainFactory grains,
    SessionRegistry registry,
    AdmissionGate gate,
    DoorInstruments doors,
    ILogger<EstService> logger,
    FleetTrust? fleet = null)
{
    /// <summary>How long a device that waits for an operator's approval leaves it: a person needs minutes.</summary>
    private const string ApprovalRetryAfter = "300";

    private const string CertificatesType = "application/pkcs7-mime";

    public Task<IResult> GetAuthoritiesAsync(HttpContext http) =>
        GiveAsync(http, CertificatesType, trust => trust.AuthoritiesPkcs7.AsSpan());

    public Task<IResult> GetAttributesAsync(HttpContext http) =>
        GiveAsync(http, "application/csrattrs", _ => CsrAttributes.Der.AsSpan());

    public Task<IResult> EnrollAsync(HttpContext http) => IssueAsync(http, CertificateCall.Enroll);

    public Task<IResult> RenewAsync(HttpContext http) => IssueAsync(http, CertificateCall.Renew);

    private async Task<IResult> GiveAsync(HttpContext http, string contentType, Func<FleetTrust, ReadOnlySpan<byte>> content)
    {
        if (DevicePeer.Of(http) is not { Result.Identity: { } identity } peer)
        {
            return RefuseStranger(http);
        }

        return (await AdmitAsync(peer, identity), fleet) switch
        {
            ({ } refused, _) => Refuse(http, refused, identity.Device.Value),
            (_, { IsPresent: true } trust) => EstBody.Write(content(trust), contentType),
            _ => Refuse(http, CertificateErrors.FleetAuthorityMissing(), identity.Device.Value),
        };
    }

    private async Task<IResult> IssueAsync(HttpContext http, CertificateCall call)
    {
        if (DevicePeer.Of(http) is not { Result.Identity: { } identity } peer)
        {
            return RefuseStranger(http);
        }

        // Before anything is said of the request, and before it is read: a tombstone learns that it is one. What EST says of a device whose
        // request for enrolment waits is not that, and is the answer to a request that can be read.
        var device = identity.Device.Value;
        if (await AdmitAsync(peer, identity) is { } refused && refused.Reason != EnrollmentRequestErrors.WaitsReason)
        {
            return Refuse(http, refused, device);
        }

        // A certificate that this gateway would not take is not handed out by it either.
        if (fleet is not { IsPresent: true })
        {
            return Refuse(http, CertificateErrors.FleetAuthorityMissing(), device);
        }

        var (request, unreadable) = await EstBody.ReadAsync(http);
        if (unreadable is not null)
        {
            return Refuse(http, unreadable, device);
        }

        ImmutableArray<byte> certificate = [];
        var error = await AskAsync(peer, identity, async () =>
        {
            var reply = await grains.GetDeviceCertificates(peer.Tenant, identity.Device)
                .IssueAsync(new IssueCertificate(identity, call, request));
            certificate = reply.Certificate;
            return reply.Error;
        });
        if (error is not null)
        {
            return Refuse(http, error, device);
        }

        LogIssued(logger, device, call);
        return EstBody.Write(CertsOnly.Encode([[.. certificate]]), $"{CertificatesType}; smime-type=certs-only");
    }

    /// <summary>May it speak for the device? As at the door of MQTT, without a session.</summary>
    private Task<FleetError?> AdmitAsync(DevicePeer peer, DeviceIdentity identity) => AskAsync(
        peer,
        identity,
        async () => (await grains.GetDevice(peer.Tenant, identity.Device)
            .AdmitAsync(new AdmitSession(identity, Receives: false, Gateway: null, registry.GatewayId))).Error);

    private async Task<FleetError?> AskAsync(DevicePeer peer, DeviceIdentity identity, Func<Task<FleetError?>> ask)
    {
        try
        {
            return await gate.CheckAsync(new DeviceAddress(peer.Tenant, identity.Device)) ?? await ask();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            LogFault(logger, exception, identity.Device.Value);
            return DeviceMessageErrors.Unavailable();
        }
    }

    private IResult RefuseStranger(HttpContext http) =>
        Refuse(http, DevicePeer.Of(http)?.Result?.Error ?? CertificateErrors.Missing(), "unknown");

    private IResult Refuse(HttpContext http, FleetError error, string device)
    {
        LogRefused(logger, device, http.Connection.RemoteIpAddress, error.Reason);
        doors.Refused(error.Reason);
        if (error.Reason != CertificateErrors.EnrollmentWaitsReason)
        {
            return DeviceProblems.Of(http, error);
        }

        // RFC 7030 4.2.3: taken, and to be asked for again.
        http.Response.Headers.RetryAfter = ApprovalRetryAfter;
        return TypedResults.Text(error.Message + "\n", statusCode: StatusCodes.Status202Accepted);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Device {DeviceId} got a certificate of the fleet CA: {Call}")]
    private static partial void LogIssued(ILogger logger, string deviceId, CertificateCall call);

    [LoggerMessage(Level = LogLevel.Information, Message = "EST call of device {DeviceId} from {Remote} refused: {Reason}")]
    private static partial void LogRefused(ILogger logger, string deviceId, System.Net.IPAddress? remote, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "An EST call of device {DeviceId} could not be decided: its grain did not answer")]
    private static partial void LogFault(ILogger logger, Exception exception, string deviceId);
}
