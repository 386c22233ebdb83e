using Google.Protobuf;
using Muster.Domain;

namespace Muster.Gateway.Grpc;

/// <summary>The validators: one per request message. Each says everything that is wrong with the form of a request.</summary>
internal sealed class RequestValidators
{
    private readonly Dictionary<Type, Action<IMessage, Problems>> _validators = [];

    public IReadOnlyCollection<Type> Types => _validators.Keys;

    public RequestValidators Add<TRequest>(Action<TRequest, Problems> validator)
        where TRequest : class, IMessage
    {
        _validators.Add(typeof(TRequest), (request, problems) => validator((TRequest)request, problems));
        return this;
    }

    /// <summary>Throws when the request is malformed or names somebody else's tenant; a type without a validator is a bug.</summary>
    public void Check(IMessage request, Caller caller)
    {
        if (!_validators.TryGetValue(request.GetType(), out var validator))
        {
            throw new InvalidOperationException($"There is no validator for {request.Descriptor.FullName}.");
        }

        var problems = new Problems();
        validator(request, problems);
        foreach (var tenant in problems.Tenants)
        {
            if (tenant != caller.Tenant)
            {
                throw FleetErrors.ToRpcException(FleetError.Of(
                    ErrorKind.Denied,
                    "PERMISSION_DENIED",
                    $"'{caller.Operator}' does not belong to the tenant '{tenant}'.",
                    ("operator", caller.Operator.Value),
                    ("tenant", tenant.Value)));
            }
        }

        if (problems.Found.Count > 0)
        {
            throw FleetErrors.Invalid(problems.Found);
        }
    }
}
