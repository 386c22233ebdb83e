using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Muster.Contracts.Operators;
using Muster.Cryptography.Certificates;
using Muster.Domain;

namespace Muster.Gateway.Grpc;

/// <summary>Asks the operator's grain who may call, and remembers its yes for a moment.</summary>
internal sealed class OperatorAccounts(IGrainFactory grains, IOptions<OperatorsOptions> options, TimeProvider clock)
{
    /// <summary>Far more operators than call within two seconds; at the limit all are asked for again.</summary>
    private const int RememberedMax = 10_000;

    private readonly ConcurrentDictionary<OperatorCertificate, (Caller Caller, DateTimeOffset Until)> _remembered = new();

    /// <summary>The caller, or why the certificate opens nothing. A refusal is never remembered.</summary>
    public async Task<(Caller? Caller, FleetError? Error)> FindAsync(OperatorCertificate certificate)
    {
        var now = clock.GetUtcNow();
        if (_remembered.TryGetValue(certificate, out var known) && now < known.Until)
        {
            return (known.Caller, null);
        }

        var reply = await grains.GetOperator(certificate.Tenant, certificate.Operator).AuthenticateAsync(certificate.CertificateSha256);
        if (reply.Account is not { } account)
        {
            _remembered.TryRemove(certificate, out _);
            return (null, reply.Error);
        }

        if (_remembered.Count >= RememberedMax)
        {
            _remembered.Clear();
        }

        var caller = new Caller(account.Tenant, account.Id, account.Roles);
        _remembered[certificate] = (caller, now + options.Value.AccountLifetime);
        return (caller, null);
    }
}
